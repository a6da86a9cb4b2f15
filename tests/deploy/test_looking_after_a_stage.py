"""doctor, prewarm and logs against a stage that is really deployed to the emulated AWS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.emulator import running
from infra.local.layout import CHECKOUT
from infra.operator import operator_of
from tests.support.deployed import account
from tests.support.sqs import skip_without_localstack
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

AT = ("--stage", "demo", "--target", "emulator")


class Stage:
    """A stage on an emulator of its own, and its verbs."""

    def __init__(self, state_dir: Path) -> None:
        """Deploys nothing yet."""
        self.state_dir = state_dir
        self.command = [sys.executable, "-m", "infra"]
        self.environment = {**os.environ, "STATE_DIR": str(state_dir), "COLUMNS": "200"}

    def run(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """The verb, about this stage."""
        return subprocess.run(
            [*self.command, verb, *AT, *words],
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
            env=self.environment,
            check=False,
        )

    def json(self, verb: str, *words: str) -> Any:
        """What it says as JSON; it must end well."""
        done = self.run(verb, *words, "--json")
        assert done.returncode == 0, done.stderr[-2_000:]
        return json.loads(done.stdout)

    def findings(self) -> dict[str, str]:
        """The doctor's signs, by what they are about."""
        return {each["what"]: each["state"] for each in self.json("doctor")["findings"]}

    def follow(self, *words: str) -> subprocess.Popen[str]:
        """`logs --follow` in the background."""
        return subprocess.Popen(
            [*self.command, "logs", *AT, "--follow", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
        )

    def make_event(self, **more: object) -> int:
        """Its id."""
        found = running.running(self.state_dir, "demo")
        assert found is not None
        service = operator_of(found.url, None, str(self.state_dir))
        return int(
            service.post("/events", {"name": "Night", "description": "", "totalTickets": 10, **more})["id"]
        )


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with account() as folder:
        made = Stage(folder)
        deployed = made.run("deploy")
        assert deployed.returncode == 0, deployed.stderr[-2_000:]
        yield made


def test_a_stage_that_is_deployed_and_well_passes_the_doctor(stage: Stage) -> None:
    found = stage.findings()
    assert "✗" not in found.values()
    assert found["service"] == found["secrets"] == found["prewarming"] == "✓"


def test_before_anything_runs_the_doctor_says_that_a_deployment_starts_it(tmp_path: Path) -> None:
    done = Stage(tmp_path).run("doctor", "--json")
    (about,) = [each for each in json.loads(done.stdout)["findings"] if each["what"] == "target"]
    assert done.returncode == 0
    assert about["state"] != "✗"
    assert "starts it" in about["said"]


@pytest.mark.localstack
def test_an_empty_localstack_passes_the_doctor() -> None:
    skip_without_localstack()
    words = ["doctor", "--stage", f"t{uuid4().hex[:8]}", "--target", "localstack", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "infra", *words], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    found = {each["what"]: each["state"] for each in json.loads(done.stdout)["findings"]}
    assert found["credentials"] == found["names"] == "✓"
    assert [what for what, state in found.items() if state == "✗"] == ["stage"]


def test_raised_by_hand_it_is_ready_and_lowered_by_hand_it_is_gone(stage: Stage) -> None:
    raised = stage.json("prewarm", "--concurrency", "20", "--now")
    assert raised["amount"] == 20
    assert stage.findings()["prewarming"] != "✓"
    assert stage.json("prewarm", "--lower")["amount"] == 0
    assert stage.findings()["prewarming"] == "✓"
    assert stage.run("prewarm", "--lower").returncode == 0


def test_a_plan_takes_the_opening_from_the_deployed_service(stage: Stage) -> None:
    opens = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    event = stage.make_event(salesOpenAt=opens.isoformat())
    (window,) = stage.json("prewarm", "--event", str(event), "--concurrency", "500", "--plan")["windows"]
    assert datetime.fromisoformat(window["raise_at"]) == opens - timedelta(minutes=10)
    assert datetime.fromisoformat(window["lower_at"]) == opens + timedelta(minutes=30)


def test_an_event_that_there_is_not_is_a_sentence(stage: Stage) -> None:
    done = stage.run("prewarm", "--event", "999", "--concurrency", "5")
    assert done.returncode == 1
    assert done.stderr == "Error: There is no event 999.\n"


def test_what_an_emulator_cannot_schedule_is_a_sentence(stage: Stage) -> None:
    done = stage.run("prewarm", "--at", "2030-01-01T20:00:00Z", "--concurrency", "5")
    assert done.returncode == 1
    assert "give --now, and --lower afterwards" in done.stderr


def test_the_lines_of_a_call_are_read_by_what_they_contain(stage: Stage) -> None:
    event = stage.make_event()
    until(lambda: f"eventId={event}" in stage.run("logs", "door").stdout, "the line of the call is there")
    lines = stage.run("logs", "--filter", "event-created").stdout.splitlines()
    assert lines
    assert all("event-created" in line for line in lines)
    assert "START RequestId" in stage.run("logs", "door", "--raw").stdout
    assert "START RequestId" not in stage.run("logs", "door").stdout


def test_following_shows_each_new_line_once_and_ends_quietly(stage: Stage) -> None:
    before = stage.make_event()
    following = stage.follow("door", "--json", "--since", "5m", "--filter", "event-created")
    assert following.stdout is not None
    seen: list[int] = []
    for event in (before, stage.make_event(), stage.make_event()):
        while event not in seen:
            seen.append(json.loads(following.stdout.readline())["eventId"])
    following.send_signal(signal.SIGINT)
    rest, complaints = following.communicate(timeout=30)
    assert seen == sorted(set(seen))
    assert (rest, complaints, following.returncode) == ("", "", 0)
