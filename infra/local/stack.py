"""What Onsale consists of on one machine, in which order it starts and in which order it stops.

Knows the parts and their addresses; how a process is kept alive is `supervisor.py`'s.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from chalicelib.errors import Unavailable
from infra.local import issuer, mapping_api, mapping_switch, sqs
from infra.local.children import Part, always
from infra.local.cloudwatch import part as cloudwatch
from infra.local.gateway import PROCESSES, THREADS
from infra.local.layout import CHECKOUT, LOOPBACK, Layout, port_is_free
from infra.local.stores import stores
from infra.local.supervisor import StopSignals, Supervisor
from infra.local.tenancy import CannotStart, end_leftovers, take_lock

STAGE = "local"
DRAIN_SECONDS = 30.0
"""How long accepted orders may take to be decided when everything is told to stop."""
STALLED_SECONDS = 3.0
"""Nothing waits and nothing moves for so long: what workers hold has failed and would not end in time."""


@dataclass(frozen=True)
class Plan:
    """What was asked for."""

    port: int = 8000
    workers: int = 2
    aws: str = "embedded"
    """`embedded` or `localstack`: whose SQS."""
    processes: int = PROCESSES
    threads: int = THREADS
    reconcile_seconds: float = 5.0
    claim_overdue_ms: int = 10_000
    """Shorter than on AWS (60 s): an order whose gateway was killed before its send waits this long.
    In a longer backlog an order goes on the queue once more per such period, which changes nothing."""
    visibility_seconds: int = sqs.LOCAL_VISIBILITY_SECONDS
    """How long the messages of a killed worker stay hidden; far above the second that a batch takes."""
    database_url: str = ""
    """A PostgreSQL that somebody else runs; empty: an embedded one."""
    valkey_url: str = ""
    """A Valkey that somebody else runs; empty: an embedded one."""
    auth_mode: str = "open"
    """`open` or `jwt`: whether callers must show who they are."""
    auth_issuer: str = ""
    auth_audience: str = issuer.AUDIENCE
    auth_jwks_url: str = ""
    """Somebody else's issuer; empty: the stack's own, whose tokens `python -m infra token` makes."""


class Stack:
    """One running stack in one state directory."""

    def __init__(self, layout: Layout, plan: Plan) -> None:
        self.layout = layout
        self.plan = plan
        self._lock = take_lock(layout)
        if not port_is_free(plan.port):
            raise CannotStart(
                f"Port {plan.port} is taken; stop what listens there or choose another with PORT=8001."
            )
        end_leftovers(layout)
        layout.logs.mkdir(parents=True, exist_ok=True)
        for log in layout.logs.glob("*.log"):
            log.unlink()
        self._stores = stores(
            layout,
            aws=plan.aws,
            database_url=plan.database_url,
            valkey_url=plan.valkey_url,
            visibility_seconds=plan.visibility_seconds,
        )
        self._cloudwatch_port = layout.ports("cloudwatch")["cloudwatch"]
        self._identity = self._identity_settings()
        self._ready = False
        self._supervisor = Supervisor(layout.logs, StopSignals(), self._write_state)

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://{LOOPBACK}:{self.plan.port}"

    def environment(self) -> dict[str, str]:
        """The settings of the service on this stack."""
        control = cloudwatch.address(self._cloudwatch_port)
        return {
            **sqs.CREDENTIALS,
            "STAGE": STAGE,
            "AWS_ENDPOINT_URL_CLOUDWATCH": control,
            "AWS_ENDPOINT_URL_LAMBDA": control,
            "DASHBOARD_NAME": f"onsale-{STAGE}",
            "DATABASE_URL": self._stores.dsn,
            "VALKEY_URL": self._stores.valkey_url,
            "ORDER_QUEUE_URL": self._stores.queues.orders,
            "CLAIM_OVERDUE_MS": str(self.plan.claim_overdue_ms),
            "FULFILMENT_MAPPING_ID": mapping_api.MAPPING_ID,
            **self._identity,
        }

    def start(self) -> None:
        """Starts everything; returns when the service answers. Raises StartFailed, NotAnswering, Stopped."""
        self._stores.check_given()
        servers = [*self._stores.parts(), self._cloudwatch()]
        self._supervisor.start(*servers)
        self._supervisor.wait_until_ready(*(part.name for part in servers))
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
        asked = self._supervisor.signals.count
        self._supervisor.stop(["http", "schedule"])
        if self._ready and "worker-1" in self._supervisor.running and self._fulfilling():
            self._drain(asked)
        self._supervisor.stop(workers, grace_seconds=DRAIN_SECONDS)
        self._supervisor.stop(["sqs"])
        self._supervisor.stop(["valkey", "postgres", "cloudwatch"])
        self.layout.state_file.unlink(missing_ok=True)
        self._lock.close()

    def _identity_settings(self) -> dict[str, str]:
        plan = self.plan
        if plan.auth_mode != "jwt":
            return {"AUTH_MODE": "open"}
        if not plan.auth_jwks_url:
            return issuer.settings(self.layout)
        if not plan.auth_issuer:
            raise CannotStart("AUTH_JWKS_URL needs AUTH_ISSUER beside it: who its tokens must be from.")
        return {
            "AUTH_MODE": "jwt",
            "AUTH_ISSUER": plan.auth_issuer,
            "AUTH_AUDIENCE": plan.auth_audience,
            "AUTH_JWKS_URL": plan.auth_jwks_url,
        }

    def _migrate(self) -> None:
        from chalicelib.ledger.migrate import ChangedMigration, migrate

        try:
            migrate(self._stores.dsn)
        except ChangedMigration as error:
            raise CannotStart(
                f"The data in {self.layout.root} is of another version: {error}."
                " Choose another STATE_DIR, or remove that directory to start anew."
            ) from error

    def _cloudwatch(self) -> Part:
        queues = self._stores.queues
        watched = (queues.orders, queues.dead_letters)
        return cloudwatch.part(
            self._cloudwatch_port, self.layout, self.plan.workers, watched, self.environment()
        )

    def _http(self) -> Part:
        plan = self.plan
        options = ["--port", plan.port, "--processes", plan.processes, "--threads", plan.threads]
        return self._python("http", "infra.local.gateway", *options, ready=self._answers)

    def _workers(self) -> list[Part]:
        numbers = range(1, self.plan.workers + 1)
        return [self._worker(f"worker-{number}") for number in numbers]

    def _worker(self, name: str) -> Part:
        log = self.layout.logs / f"{name}.log"
        part = self._python(name, "infra.local.event_source", ready=lambda: "receiving" in log.read_text())
        switch = {mapping_switch.FILE_VARIABLE: str(self.layout.mapping_file)}
        return replace(part, environment={**part.environment, **switch})

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

    def _fulfilling(self) -> bool:
        """Whether orders are being decided; what an operator has paused waits for the next start."""
        return mapping_switch.read(self.layout.mapping_file).enabled

    def _drain(self, asked: int) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        last, since = (-1, -1), time.monotonic()
        signals = self._supervisor.signals
        while time.monotonic() < deadline and signals.count == asked:  # a second Ctrl-C waits for nothing
            try:
                now = sqs.waiting(self._stores.queues.orders)
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
                "postgres": {"dsn": self._stores.dsn, "pid": pids.get("postgres")},
                "valkey": {"url": self._stores.valkey_url, "pid": pids.get("valkey")},
                "sqs": {
                    "endpoint": self._stores.queues.endpoint,
                    "queueUrl": self._stores.queues.orders,
                    "deadLetterUrl": self._stores.queues.dead_letters,
                    "pid": pids.get("sqs"),
                },
                "cloudwatch": {
                    "url": cloudwatch.address(self._cloudwatch_port),
                    "pid": pids.get("cloudwatch"),
                },
                "environment": self.environment(),
                "processes": [asdict(found) for found in identities],
            }
        )
