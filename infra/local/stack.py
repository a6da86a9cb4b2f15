"""What Onsale consists of on one machine, in which order it starts and in which order it stops.

Knows the parts and their addresses; how a process is kept alive is `supervisor.py`'s.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any

from chalicelib.errors import Unavailable
from infra.local import localstack, postgres, sqs, valkey
from infra.local.children import Identity, Part, always, end
from infra.local.layout import CHECKOUT, LOOPBACK, Layout, port_is_free
from infra.local.supervisor import StopSignals, Supervisor

DRAIN_SECONDS = 30.0
"""How long accepted orders may take to be decided when everything is told to stop."""
STALLED_SECONDS = 3.0
"""Nothing waits and nothing moves for so long: what workers hold has failed and would not end in time."""


class CannotStart(RuntimeError):
    """The stack cannot start here and now. The message says what to do."""


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    port: int = 8000
    workers: int = 2
    aws: str = "embedded"
    """`embedded` or `localstack`: whose SQS."""
    processes: int = 2
    threads: int = 16
    reconcile_seconds: float = 5.0


class Stack:
    """One running stack in one state directory."""

    def __init__(self, layout: Layout, plan: Plan) -> None:
        self.layout = layout
        self.plan = plan
        self._lock = _take_lock(layout)
        if not port_is_free(plan.port):
            raise CannotStart(
                f"Port {plan.port} is taken; stop what listens there or choose another with PORT=8001."
            )
        _end_leftovers(layout)
        layout.logs.mkdir(parents=True, exist_ok=True)
        for log in layout.logs.glob("*.log"):
            log.unlink()
        self._ports = layout.ports("postgres", "valkey", "sqs")
        self._queues = (
            localstack.make_queues() if plan.aws == "localstack" else sqs.queues(self._ports["sqs"])
        )
        self._ready = False
        self._supervisor = Supervisor(layout.logs, StopSignals(), self._write_state)

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://{LOOPBACK}:{self.plan.port}"

    def environment(self) -> dict[str, str]:
        """The settings of the service on this stack."""
        return {
            **sqs.CREDENTIALS,
            "STAGE": "local",
            "DATABASE_URL": postgres.dsn(self._ports["postgres"]),
            "VALKEY_URL": valkey.url(self._ports["valkey"]),
            "ORDER_QUEUE_URL": self._queues.orders,
        }

    def start(self) -> None:
        """Starts everything; returns when the service answers. Raises StartFailed, or Stopped on a signal."""
        stores = self._stores()
        self._supervisor.start(*stores)
        self._supervisor.wait_until_ready(*(part.name for part in stores))
        self._migrate()
        service = [self._http(), *self._workers()]
        self._supervisor.start(*service)
        self._supervisor.wait_until_ready(*(part.name for part in service))
        self._supervisor.start(self._schedule())
        self._ready = True
        self._write_state()

    def run(self) -> None:
        """Keeps everything alive until a signal says stop."""
        self._supervisor.watch()

    def stop(self) -> None:
        """Stops in the order in which an order travels, so that no accepted one is lost."""
        workers = [part.name for part in self._workers()]
        self._supervisor.stop(["http", "schedule"])
        if self._ready and "worker-1" in self._supervisor.running:
            self._drain()
        self._supervisor.stop(workers, grace_seconds=DRAIN_SECONDS)
        self._supervisor.stop(["sqs"])
        self._supervisor.stop(["valkey", "postgres"])
        self.layout.state_file.unlink(missing_ok=True)
        self._lock.close()

    def _migrate(self) -> None:
        from chalicelib.ledger.migrate import ChangedMigration, migrate

        try:
            migrate(postgres.dsn(self._ports["postgres"]))
        except ChangedMigration as error:
            raise CannotStart(
                f"The data in {self.layout.root} is of another version: {error}."
                " Choose another STATE_DIR, or remove that directory to start anew."
            ) from error

    def _stores(self) -> list[Part]:
        stores = [valkey.part(self.layout.data("valkey"), self._ports["valkey"])]
        if self.plan.aws != "localstack":
            stores.append(sqs.part(self.layout.data("sqs"), self._ports["sqs"]))
        stores.append(postgres.part(self.layout.data("postgres"), self._ports["postgres"]))
        return stores

    def _http(self) -> Part:
        plan = self.plan
        options = ["--port", plan.port, "--processes", plan.processes, "--threads", plan.threads]
        return self._python("http", "infra.local.gateway", *options, ready=self._answers)

    def _workers(self) -> list[Part]:
        numbers = range(1, self.plan.workers + 1)
        return [self._worker(f"worker-{number}") for number in numbers]

    def _worker(self, name: str) -> Part:
        log = self.layout.logs / f"{name}.log"
        return self._python(name, "infra.local.event_source", ready=lambda: "receiving" in log.read_text())

    def _schedule(self) -> Part:
        return self._python("schedule", "infra.local.schedule", "--every", self.plan.reconcile_seconds)

    def _python(self, name: str, module: str, *options: object, ready: Callable[[], bool] = always) -> Part:
        return Part(
            name=name,
            command=[sys.executable, "-m", module, *map(str, options)],
            environment={**self.environment(), "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
            ready=ready,
        )

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.plan.port, timeout=1)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        last, since = (-1, -1), time.monotonic()
        signals = self._supervisor.signals
        asked = signals.count
        while time.monotonic() < deadline and signals.count == asked:  # a second Ctrl-C waits for nothing
            try:
                now = sqs.waiting(self._queues.orders)
            except Unavailable:
                return
            if now != last:
                last, since = now, time.monotonic()
            if now == (0, 0) or (now[0] == 0 and time.monotonic() - since > STALLED_SECONDS):
                return
            signals.pause(0.1)

    def _write_state(self) -> None:
        identities = self._supervisor.identities()
        pids = {found.name: found.pid for found in identities}
        self.layout.write_state(
            {
                "ready": self._ready,
                "supervisor": {"pid": os.getpid()},
                "http": {"url": self.url, "pids": [pid for name, pid in pids.items() if name == "http"]},
                "worker": {"pids": [pid for name, pid in pids.items() if name.startswith("worker-")]},
                "schedule": {"pid": pids.get("schedule")},
                "postgres": {"dsn": postgres.dsn(self._ports["postgres"]), "pid": pids.get("postgres")},
                "valkey": {"url": valkey.url(self._ports["valkey"]), "pid": pids.get("valkey")},
                "sqs": {
                    "endpoint": self._queues.endpoint,
                    "queueUrl": self._queues.orders,
                    "deadLetterUrl": self._queues.dead_letters,
                    "pid": pids.get("sqs"),
                },
                "environment": self.environment(),
                "processes": [asdict(found) for found in identities],
            }
        )


def leftovers(state: dict[str, Any]) -> list[Identity]:
    """The processes of a stack by its written state, without looking whether they still run."""
    return [Identity(**found) for found in state.get("processes", [])]


def _take_lock(layout: Layout) -> IO[str]:
    layout.root.mkdir(parents=True, exist_ok=True)
    lock = layout.lock_file.open("w")
    for _ in range(10):  # a `status` that looks at the lock holds it for a moment
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(0.02)
    lock.close()
    running = (layout.read_state() or {}).get("http", {}).get("url", "an address not chosen yet")
    raise CannotStart(
        f"A stack already runs in {layout.root}, at {running}. Use it, or stop it with `make down`."
    )


def _end_leftovers(layout: Layout) -> None:
    # The supervisor of these was killed. They were told by the kernel to stop; SQS may be writing its state.
    for found in reversed(leftovers(layout.read_state() or {})):
        process = found.process()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                end(process, found.stop_signal)
    layout.state_file.unlink(missing_ok=True)
