"""A stack of the benchmark's own: free ports, a directory that was given, stopped whatever happens.

Started by `python -m infra up`, as everybody starts it, so that what is measured is what people run.
It must not touch a stack that somebody else has started.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil

from chalicelib.settings import Settings, from_environment
from infra.local.children import Part, end, start
from infra.local.issuer import token_if_needed
from infra.local.layout import CHECKOUT, Layout, free_port
from infra.local.stack import DRAIN_SECONDS
from infra.local.supervisor import READY_SECONDS
from infra.rush.rush import Passes

BUYER = "bench"
"""Who asks, where it is always the same one."""
LOOK_SECONDS = 0.02
STOP_SECONDS = 2 * DRAIN_SECONDS + 30
"""What accepted orders and then a batch under way may take, and the servers' own ends."""


class BenchFault(RuntimeError):
    """A measurement that is not what it says it is: the figure would be worth nothing."""


class OwnStack(msgspec.Struct, frozen=True):
    """A running stack: `state` is what `up` wrote for `status`, `ready_seconds` what starting took."""

    state: dict[str, Any]
    ready_seconds: float

    @property
    def url(self) -> str:
        """Where the service answers."""
        url: str = self.state["http"]["url"]
        return url

    @property
    def dsn(self) -> str:
        """Where the ledger is."""
        dsn: str = self.state["postgres"]["dsn"]
        return dsn

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the service is run with."""
        environment: dict[str, str] = self.state["environment"]
        return environment

    @property
    def passes(self) -> Passes:
        """Makes the tokens that it takes; with AUTH_MODE=jwt in the shell it asks for them."""
        return partial(token_if_needed, self.environment)

    @property
    def settings(self) -> Settings:
        """The same, as the service reads them."""
        return from_environment(self.environment)


@contextmanager
def own_stack(root: Path) -> Iterator[OwnStack]:
    """Starts a stack in directory `root`, and stops it on leaving.

    Raises BenchFault with the end of its log when it does not become ready.
    """
    layout = Layout.at(root)
    layout.root.mkdir(parents=True, exist_ok=True)
    log = layout.root / "up.log"
    log.unlink(missing_ok=True)
    began = time.monotonic()
    process = start(_part(layout), log)
    try:
        state = _when_ready(layout, process, log)
        yield OwnStack(state, round(time.monotonic() - began, 2))
    finally:
        _stop(process)


def _part(layout: Layout) -> Part:
    where = ["--port", str(free_port()), "--state-dir", str(layout.root), "--aws", "embedded"]
    return Part(
        name="up",
        command=[sys.executable, "-m", "infra", "up", *where],
        environment={
            "PYTHONPATH": str(CHECKOUT),
            "REDELIVER": "1",
            "ONSALE_DATABASE_URL": "",
            "ONSALE_VALKEY_URL": "",
        },
    )


def _when_ready(layout: Layout, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    until = time.monotonic() + 2 * READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        state = layout.read_state() or {}
        if state.get("ready") and state["supervisor"]["pid"] == process.pid:
            return state
        time.sleep(LOOK_SECONDS)
    raise BenchFault(f"The stack did not become ready: {log.read_text(errors='replace')[-1_000:].strip()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        end(psutil.Process(process.pid), signal.SIGTERM, STOP_SECONDS)
    process.wait()
