"""Who is struck: a process of the stack and no other, whatever its number."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from infra.chaos.schedule import Kind
from infra.chaos.strike import Missed, Strikers
from infra.local.layout import Layout
from infra.local.tenancy import take_lock

PATIENCE_SECONDS = 0.1
LONG = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(LONG) as process:
        yield process
        process.kill()


@contextmanager
def stack_of(folder: Path, name: str, pid: int, create_time: float) -> Iterator[Strikers]:
    """A stack by its state file, of which one process runs."""
    layout = Layout(folder)
    one = {"name": name, "pid": pid, "create_time": create_time, "stop_signal": int(signal.SIGTERM)}
    state = {
        "postgres": {"dsn": "postgresql://onsale@127.0.0.1:1/onsale", "pid": 1},
        "valkey": {"url": "valkey://127.0.0.1:1/0", "pid": 1},
        "processes": [one],
    }
    with take_lock(layout):
        layout.write_state(state)
        yield Strikers(layout, PATIENCE_SECONDS)


def test_a_process_of_the_stack_is_killed(tmp_path: Path, victim: subprocess.Popen[bytes]) -> None:
    born = psutil.Process(victim.pid).create_time()
    with stack_of(tmp_path, "valkey", victim.pid, born) as strikers:
        struck = strikers.strike(Kind.KILL_VALKEY, lambda: True)
    assert struck.victim == "valkey"
    assert victim.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("kind", [Kind.KILL_VALKEY, Kind.KILL_WORKER, Kind.CRASH_POSTGRES])
def test_a_later_process_with_the_same_number_is_left_alone(
    tmp_path: Path, victim: subprocess.Popen[bytes], kind: Kind
) -> None:
    before = psutil.Process(victim.pid).create_time() - 60
    name = {Kind.KILL_VALKEY: "valkey", Kind.KILL_WORKER: "worker-1", Kind.CRASH_POSTGRES: "postgres"}[kind]
    with stack_of(tmp_path, name, victim.pid, before) as strikers, pytest.raises(Missed, match="runs"):
        strikers.strike(kind, lambda: True)
    assert victim.poll() is None


def test_a_worker_that_may_still_be_importing_gets_no_signal(
    tmp_path: Path, victim: subprocess.Popen[bytes]
) -> None:
    born = psutil.Process(victim.pid).create_time()
    with (
        stack_of(tmp_path, "worker-1", victim.pid, born) as strikers,
        pytest.raises(Missed, match="no worker runs"),
    ):
        strikers.strike(Kind.DROP_BATCH, lambda: True)
    assert victim.poll() is None


def test_a_valkey_that_does_not_answer_is_not_called_wiped(
    tmp_path: Path, victim: subprocess.Popen[bytes]
) -> None:
    with (
        stack_of(tmp_path, "valkey", victim.pid, 0) as strikers,
        pytest.raises(Missed, match="Valkey is down"),
    ):
        strikers.strike(Kind.WIPE_VALKEY, lambda: True)
