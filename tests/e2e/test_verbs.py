"""One command starts the service; nothing that is killed stays dead, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.local.layout import CHECKOUT, free_port
from tests.support.waiting import until

pytestmark = pytest.mark.slow


class Stack:
    """A stack of its own on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def infra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a verb against this stack."""
        command = [sys.executable, "-m", "infra", *words, "--state-dir", str(self.folder)]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)

    def up(self) -> subprocess.CompletedProcess[str]:
        """Starts it in the background."""
        return self.infra("up", "--detach", "--port", str(self.port))

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        found: dict[str, Any] = json.loads(self.infra("status", "--json").stdout)
        return found

    def pids(self) -> set[int]:
        """Every process of it, the supervisor too."""
        found = self.status()
        supervisor = json.loads((self.folder / "state.json").read_text())["supervisor"]["pid"]
        single = {found[name]["pid"] for name in ("postgres", "valkey", "sqs", "schedule")}
        return {supervisor, *found["http"]["pids"], *found["worker"]["pids"], *single}

    def answers(self) -> bool:
        """Whether the service answers over HTTP."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests here; each leaves it running."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    started = stack.up()
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith(f"ready http://127.0.0.1:{stack.port}\n")
    yield stack
    stack.infra("down")


def gone(pids: set[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_status_names_every_part(stack: Stack) -> None:
    found = stack.status()
    assert found["http"]["url"] == f"http://127.0.0.1:{stack.port}"
    assert len(found["worker"]["pids"]) == 2
    assert set(found["sqs"]) == {"endpoint", "queueUrl", "deadLetterUrl", "pid"}
    assert stack.answers()


def test_a_second_up_says_that_one_runs_already(stack: Stack) -> None:
    second = stack.up()
    assert second.returncode == 1
    assert "already runs" in second.stderr


def test_env_prints_settings_that_a_shell_understands(stack: Stack) -> None:
    lines = stack.infra("env").stdout
    shell = subprocess.run(
        ["sh", "-c", lines + "\necho $ORDER_QUEUE_URL"], capture_output=True, text=True, check=True
    )
    assert shell.stdout.strip() == stack.status()["sqs"]["queueUrl"]


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
    supervisor = json.loads((stack.folder / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    assert stack.up().returncode == 0
    assert gone(before)
    assert stack.answers()


def test_down_leaves_no_process_and_frees_the_port(stack: Stack) -> None:
    before = stack.pids()
    assert stack.infra("down").returncode == 0
    assert gone(before)
    assert not stack.answers()
    assert stack.infra("status").returncode == 1
    assert stack.up().returncode == 0


def test_a_taken_port_is_a_sentence(stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path)
    other.port = stack.port
    second = other.up()
    assert second.returncode == 1
    assert f"Port {stack.port} is taken" in second.stderr
