"""Stages: each setting has its bounds, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.deploy.names import Names
from infra.deploy.stage import FILE, BadStage, missing_on_aws, stage_settings

KEPT = FILE.read_text(encoding="utf-8")


def written(folder: Path, more: str) -> Path:
    file = folder / "stages.toml"
    file.write_text(f"{KEPT}\n[mine]\n{more}\n", encoding="utf-8")
    return file


def test_a_stage_differs_from_the_default_only_where_it_says_so(tmp_path: Path) -> None:
    mine = stage_settings("mine", written(tmp_path, "burst = 7"))
    assert mine == replace(stage_settings("demo"), burst=7)


def test_production_is_protected_and_the_demo_is_not() -> None:
    assert stage_settings("prod").protected
    assert not stage_settings("demo").protected


def test_a_setting_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadStage, match="stage mine: there is no setting memory_mb"):
        stage_settings("mine", written(tmp_path, "memory_mb = 1"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('architecture = "mips"', "architecture"),
        ("door_memory_mb = 7", "door_memory_mb"),
        ('auth_jwks_url = "http://keys.example"', "auth_jwks_url"),
        ('alarm_email = "nobody"', "alarm_email"),
        ("log_retention_days = 8", "log_retention_days"),
        ("minimum_acu = 9\nmaximum_acu = 2", "minimum_acu 9 is above maximum_acu 2"),
        ("ecpu_minimum = 99_000", "ecpu_minimum 99000 is above"),
        ("ecpu_minimum = 5", "neither 0 nor 1,000"),
        ("burst = =", "not TOML"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(BadStage, match=said):
        stage_settings("mine", written(tmp_path, wrong))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", "There is no stage nosuch in stages.toml, only demo, prod"),
        ("local", "No stage is called local"),
        ("default", "No stage is called default"),
        ("Prod", "not 'Prod'"),
        ("a" * 17, "up to 16 letters"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(name: str, said: str) -> None:
    with pytest.raises(BadStage, match=said):
        stage_settings(name)


def test_a_stage_on_aws_needs_somebody_who_issues_tokens() -> None:
    lacking = stage_settings("demo")
    assert missing_on_aws(lacking) == ["auth_issuer", "auth_jwks_url"]
    complete = replace(lacking, auth_issuer="https://i.example/", auth_jwks_url="https://i.example/keys")
    assert missing_on_aws(complete) == []


def test_the_names_of_a_stage_all_carry_it() -> None:
    names = Names("demo")
    assert (names.foundation, names.service) == ("onsale-demo-foundation", "onsale-demo-service")
    assert names.functions == (
        "onsale-demo",
        "onsale-demo-fulfil",
        "onsale-demo-reconcile",
        "onsale-demo-expire",
        "onsale-demo-watch",
        "onsale-demo-migrate",
    )
    assert (names.orders, names.dead_letters) == ("onsale-demo-orders", "onsale-demo-orders-dead")
