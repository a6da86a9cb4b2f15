"""The verbs beside a running stack: what they say, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.stack import Stack, gone
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SECOND_START_SECONDS = 10
"""How soon a second `up` has to be ready."""


def test_status_names_every_part(stack: Stack) -> None:
    found = stack.status()
    keys = {part: set(facts) for part, facts in found.items()}
    assert keys == {
        "http": {"url", "pids"},
        "worker": {"pids"},
        "postgres": {"dsn", "pid"},
        "valkey": {"url", "pid"},
        "sqs": {"endpoint", "queueUrl", "deadLetterUrl", "pid"},
        "cloudwatch": {"url", "pid"},
        "schedule": {"pid"},
    }
    assert found["http"]["url"] == stack.url
    assert len(found["worker"]["pids"]) == 2
    named = {found[part]["pid"] for part in ("postgres", "valkey", "sqs", "cloudwatch", "schedule")}
    assert named | {*found["http"]["pids"], *found["worker"]["pids"]} <= stack.pids()


def test_status_for_people_has_a_line_for_each_part(stack: Stack) -> None:
    lines = stack.infra("status").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(stack.status())


def test_env_prints_settings_that_a_shell_understands(stack: Stack) -> None:
    lines = stack.infra("env").stdout
    shell = subprocess.run(
        ["sh", "-c", lines + "\necho $ORDER_QUEUE_URL"], capture_output=True, text=True, check=True
    )
    assert shell.stdout.strip() == stack.status()["sqs"]["queueUrl"]


def test_a_second_up_in_the_same_place_is_refused_with_a_sentence(stack: Stack) -> None:
    second = stack.up()
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "make down" in second.stderr
    assert stack.answers()


def test_a_taken_port_is_refused_with_a_sentence(stack: Stack, tmp_path: Path) -> None:
    second = Stack(tmp_path, port=stack.port).up()
    assert second.returncode == 1
    assert f"Port {stack.port} is taken" in second.stderr


@pytest.mark.parametrize("part", ["http", "worker"])
def test_a_killed_gateway_or_worker_is_replaced(stack: Stack, part: str) -> None:
    before = stack.status()[part]["pids"]
    for victim in reversed(before):  # the first of the gateway's is the parent of the others
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    until(lambda: gone(set(before)), "they are gone")
    until(lambda: len(stack.status()[part]["pids"]) == len(before), "as many are there again")
    until(stack.answers, "the service answers again")


def test_after_the_supervisor_was_killed_up_clears_away_and_starts_again(stack: Stack) -> None:
    before = stack.pids()
    os.kill(stack.state["supervisor"]["pid"], signal.SIGKILL)
    assert stack.up().returncode == 0
    assert gone(before)
    assert stack.answers()


def test_down_leaves_no_process_and_a_second_up_is_quick(stack: Stack) -> None:
    before = stack.pids()
    assert stack.down().returncode == 0
    assert gone(before)
    assert not stack.answers()
    assert stack.infra("status").returncode == 1
    began = time.monotonic()
    assert stack.up().returncode == 0
    assert time.monotonic() - began < SECOND_START_SECONDS
    assert stack.answers()
