"""The verbs around a deployment: what they refuse, in a sentence and before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.__main__ import main
from infra.commands.outputs import variable


def refused(*words: str) -> str:
    answer = CliRunner().invoke(main, list(words))
    assert answer.exit_code == 1, answer.output
    assert "Traceback" not in answer.output
    return answer.output


def test_an_unknown_stage_is_refused_with_those_there_are() -> None:
    said = refused("deploy", "--stage", "nosuch", "--target", "emulator", "--plan")
    assert "There is no stage nosuch in stages.toml, only demo, prod" in said


def test_a_stage_that_is_not_complete_for_aws_is_refused_before_anything_is_packaged() -> None:
    said = refused("deploy", "--stage", "prod")
    assert "Stage prod has no auth_issuer and no auth_jwks_url" in said
    assert "under [prod] in infra/stacks/stages.toml" in said


def test_a_protected_stage_is_not_destroyed_and_no_account_is_asked() -> None:
    said = refused("destroy", "--stage", "prod", "--yes")
    assert "Stage prod is protected. Set `protected = false`" in said


@pytest.mark.parametrize("verb", ["outputs", "status", "migrate", "destroy"])
def test_a_stage_that_is_not_on_the_emulator_is_told_how_it_gets_there(verb: str, tmp_path: Path) -> None:
    said = refused(verb, "--stage", "demo", "--target", "emulator", "--state-dir", str(tmp_path))
    assert "Stage demo is not on the emulated AWS of this machine" in said
    assert "python -m infra deploy --stage demo --target emulator" in said


def test_without_a_stage_status_and_migrate_are_about_what_up_runs(tmp_path: Path) -> None:
    assert "Start it with `make up`" in refused("status", "--state-dir", str(tmp_path))
    assert "start a stack with `make up`" in refused("migrate", "--state-dir", str(tmp_path))


def test_without_credentials_it_says_how_to_sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "aws sso login" in refused("outputs", "--stage", "demo", "--region", "eu-central-1")


@pytest.mark.parametrize("verb", ["deploy", "destroy", "outputs", "status", "migrate"])
def test_the_help_names_stage_and_target(verb: str) -> None:
    said = CliRunner().invoke(main, [verb, "--help"]).output
    assert "--stage" in said
    assert "[aws|localstack|emulator]" in said


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("EndpointURL", "ONSALE_ENDPOINT_URL"),
        ("RestAPIId", "ONSALE_REST_API_ID"),
        ("OrderQueueUrl", "ONSALE_ORDER_QUEUE_URL"),
        ("DatabaseSecretArn", "ONSALE_DATABASE_SECRET_ARN"),
    ],
)
def test_an_output_is_exported_in_capitals(output: str, name: str) -> None:
    assert variable(output) == name
