"""A whole stack of a test's own, driven as people drive it: by `python -m infra`, signals and HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from chalicelib.services import Services
from chalicelib.settings import from_environment
from infra.local.layout import CHECKOUT, Layout, free_port
from infra.rush.ledger import read_ledger
from infra.rush.plan import RushPlan
from infra.rush.recorded import run_recorded_rush
from infra.rush.result import RushResult
from tests.support.waiting import until

START_SECONDS = STOP_SECONDS = 120
QUICK = {"VISIBILITY_SECONDS": "5", "CLAIM_OVERDUE_MS": "3000", "RECONCILE_SECONDS": "1"}
"""What a fault makes orders wait for, shortened; see `infra.local.stack.Plan` for the usual waits."""
FOREIGN = {
    "AUTH_JWKS_URL",
    "AUTH_MODE",
    "AWS",
    "ONSALE_DATABASE_URL",
    "ONSALE_VALKEY_URL",
    "PORT",
    "REDELIVER",
    "STATE_DIR",
    "WORKERS",
}
"""Variables of the shell that would make a test's stack another one, or somebody else's."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    json: Any


@dataclass
class Stack:
    """One state directory and one port. Nothing runs until `up` or `foreground`."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    """Added to the environment of every verb."""
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    def infra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a verb against this stack to its end."""
        return subprocess.run(
            self._command(*words),
            env=self._environment(),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def up(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Starts it in the background."""
        return self.infra("up", "--detach", "--port", str(self.port), *options)

    def down(self) -> subprocess.CompletedProcess[str]:
        """Stops what runs in the background."""
        return self.infra("down")

    @contextmanager
    def background(self, *options: str) -> Iterator[Stack]:
        """Starts it, and stops it when the block ends."""
        started = self.up(*options)
        assert started.returncode == 0, started.stderr
        try:
            yield self
        finally:
            self.down()

    @contextmanager
    def foreground(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Runs `up` in the foreground, yields its process once it has said `ready`, ends it at the end."""
        process = subprocess.Popen(
            self._command("up", "--port", str(self.port), *options),
            env=self._environment(),
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            assert first == f"ready {self.url}\n", first + process.stdout.read()
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)

    @property
    def state(self) -> dict[str, Any]:
        """What `up` wrote for the other verbs."""
        found: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return found

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        found: dict[str, Any] = json.loads(self.infra("status", "--json").stdout)
        return found

    def services(self) -> Services:
        """The service's own view of the running stores."""
        return Services(from_environment(self.state["environment"]))

    def pids(self) -> set[int]:
        """Every process of it: the supervisor and all its descendants."""
        supervisor = psutil.Process(self.state["supervisor"]["pid"])
        return {supervisor.pid, *(child.pid for child in supervisor.children(recursive=True))}

    def answers(self) -> bool:
        """Whether the service answers over HTTP."""
        try:
            return self.call("GET", "/health").status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request with a JSON body, or none. Raises URLError when nobody answers."""
        return call(method, self.url + path, body, **headers)

    def rush(self, **figures: Any) -> RushResult:
        """Plays a rush with the ledger asked, too, and its history judged; `figures` are `RushPlan`'s."""
        dsn = self.state["postgres"]["dsn"]
        reader = partial(read_ledger, dsn)
        history = Layout.at(self.folder).history / f"{uuid4().hex}.jsonl"
        return run_recorded_rush(RushPlan(url=self.url, **figures), history, dsn, read_ledger=reader)

    def rush_with_a_fault(self, fault: Callable[[], None], *, tickets: int, buyers: int) -> RushResult:
        """Plays a rush, and calls `fault` in the middle of it: when a third of the tickets are taken."""
        gate = self.services().gate
        before = set(gate.loaded_events())

        def taken() -> int:
            events = set(gate.loaded_events()) - before
            found = gate.availability(events.pop()) if events else None
            return tickets - sum(stock.available for stock in found[0]) if found else 0

        def strike() -> None:
            until(lambda: taken() >= tickets // 3, "a third of the tickets are taken")
            fault()

        striker = _Striker(strike)
        striker.start()
        result = self.rush(tickets=tickets, buyers=buyers)
        striker.join()
        assert striker.error is None
        return result

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "infra", *words, "--state-dir", str(self.folder)]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return {**kept, "PYTHONUNBUFFERED": "1", **QUICK, **self.variables}


class _Striker(threading.Thread):
    """Does one thing beside the rush, and keeps what went wrong with it."""

    def __init__(self, strike: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.error: BaseException | None = None
        self._strike = strike

    def run(self) -> None:
        """Strikes once."""
        try:
            self._strike()
        except BaseException as error:
            self.error = error


def broken_promises(result: RushResult) -> list[str]:
    """What the audit found broken: each promise with its figures."""
    return [f"{check.promise}: {check.detail}" for check in result.audit.checks if not check.passed]


def call(method: str, url: str, body: object = None, **headers: str) -> Answer:
    """One request with a JSON body, or none; an error status is an answer, too."""
    data = None if body is None else json.dumps(body).encode()
    named = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return _read(answer.status, answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _read(refusal.code, refusal)


def _read(status: int, answer: Any) -> Answer:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status, headers, json.loads(answer.read()))


def gone(pids: set[int]) -> bool:
    """Whether none of the processes runs; one that only waits to be reaped is gone."""
    return not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
