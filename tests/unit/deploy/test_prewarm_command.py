"""The verb's own words: what is missing is said, and a plan is JSON where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from infra.commands.prewarm import prewarm


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def said(*words: str) -> Result:
    return CliRunner().invoke(prewarm, ["--stage", "demo", "--region", "us-east-1", *words])


def test_how_many_is_asked_for() -> None:
    answer = said("--event", "7")
    assert answer.exit_code == 2
    assert "--concurrency is missing" in answer.output


def test_for_which_event_or_time_is_asked_for() -> None:
    answer = said("--concurrency", "5")
    assert answer.exit_code == 2
    assert "Give --event, or the time it opens by --at" in answer.output


def test_an_event_of_a_service_that_is_not_deployed_is_a_sentence() -> None:
    answer = said("--concurrency", "5", "--event", "7")
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: The service is not deployed there; give --at")


def test_a_stage_that_there_is_not_is_a_sentence() -> None:
    answer = CliRunner().invoke(prewarm, ["--stage", "nowhere", "--region", "us-east-1", "--lower"])
    assert answer.exit_code == 1
    assert "There is no stage nowhere" in answer.output


def test_a_sale_that_is_over_is_a_sentence() -> None:
    answer = said("--concurrency", "5", "--at", "2020-01-01T20:00:00Z", "--plan")
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: That is over: it opened at 2020-01-01 20:00 UTC")
