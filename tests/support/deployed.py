"""A stage that is really deployed to an emulated AWS: changed by the engine, driven over HTTP."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
from msgspec.structs import replace

from infra.deploy.account import Account
from infra.deploy.at_stage import account_to_deploy_to
from infra.deploy.bring import Manner
from infra.deploy.destroying import destroy, stacks_of
from infra.deploy.execute import Execution
from infra.deploy.names import Names
from infra.deploy.packaging import packaged
from infra.deploy.plan import Package, plan
from infra.deploy.stage import StageSettings, stage_settings
from infra.deploy.standing import outputs_of
from infra.deploy.steps import Check, Plan
from infra.emulator import running
from infra.local.layout import CHECKOUT, Layout
from infra.package.build import LOCKS
from infra.rush.ledger import read_ledger
from infra.rush.plan import RushPlan
from infra.rush.recorded import run_recorded_rush
from infra.rush.result import RushResult
from tests.support.stack import Answer, call

READY_SECONDS = 6
"""What a bad version gets to become ready; a good one takes a cold start, a second."""


class Held(NamedTuple):
    """An order that has a second to be paid in."""

    event_id: int
    order_id: str


@dataclass
class Deployed:
    """One stage on the emulator of one state directory. Nothing is there until `deploy`."""

    state_dir: Path
    stage: str = "demo"
    settings: StageSettings = field(default_factory=lambda: stage_settings("demo"))
    told: list[str] = field(default_factory=list)
    held: Held | None = None

    @cached_property
    def names(self) -> Names:
        """Of its stacks, functions and queues."""
        return Names(self.stage)

    @cached_property
    def account(self) -> Account:
        """The emulated account; started, and the stage's place on it made, when they are not there."""
        return account_to_deploy_to("emulator", self.stage, None, None, str(self.state_dir))

    def client(self, service: str) -> Any:
        """A client of one service of AWS."""
        return self.account.client(service)

    @property
    def url(self) -> str:
        """Where its API answers."""
        return self.account.facts["url"]

    @property
    def dsn(self) -> str:
        """Its ledger."""
        return self.account.facts["database_url"]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What its stacks say."""
        return outputs_of(self.account, self.stage)

    def package(self, checkout: Path = CHECKOUT, **settings: Any) -> Package:
        """What would be deployed."""
        wished = replace(self.settings, **settings)
        return packaged(self.stage, wished, "emulator", self.told.append, checkout)

    def deploy(self, checkout: Path = CHECKOUT, **settings: Any) -> bool:
        """Whether anything changed. Raises what the engine raises; `settings` differ from the stage's."""
        package = self.package(checkout, **settings)
        wanted = _impatient(plan(self.stage, replace(self.settings, **settings), "emulator", package))
        return Execution(wanted, package, self.account, Manner(self.told.append)).run()

    def destroy(self) -> None:
        """Takes the stage down, with its place on the emulator."""
        destroy(self.account, stacks_of(self.account, self.stage), Manner(self.told.append))
        running.leave(self.state_dir, self.stage)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; `path` as in the contract, or as a Location has it, after the API's stage."""
        return call(method, self.url + path.removeprefix("/api"), body, **headers)

    def event(self, tickets: int = 10, **terms: Any) -> int:
        """The id of a new event."""
        draft = {"name": "Night One", "description": "Doors at 8", "totalTickets": tickets, **terms}
        answer = self.call("POST", "/events", draft)
        assert answer.status == 201, answer
        return int(answer.json["id"])

    def order(self, event_id: int, user_id: str, **headers: str) -> Answer:
        """The answer to an order of one ticket."""
        wish = {"eventId": event_id, "quantity": 1, "userId": user_id}
        return self.call("POST", "/orders", wish, **headers)

    def hold(self) -> None:
        """Orders the one ticket of an event, to be paid within a second."""
        event_id = self.event(tickets=1, holdSeconds=1)
        self.held = Held(event_id, str(self.order(event_id, "late").json["id"]))

    def status_of(self, order_id: str) -> str:
        """What a buyer reads of it."""
        answer = self.call("GET", f"/orders/{order_id}")
        assert answer.status == 200, answer
        return str(answer.json["status"])

    def mapping(self) -> Any:
        """The event source mapping between the order queue and its function, as Lambda has it."""
        return self.client("lambda").get_event_source_mapping(UUID=self.outputs["MappingId"])

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What the ledger answers."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def rush(self, **figures: Any) -> RushResult:
        """Plays a rush with the ledger asked, too, and its history judged; `figures` are `RushPlan`'s."""
        history = self.state_dir / f"{uuid4().hex}.jsonl"
        rushed = RushPlan(url=self.url, **figures)
        return run_recorded_rush(rushed, history, self.dsn, read_ledger=partial(read_ledger, self.dsn))


def _impatient(wanted: Plan) -> Plan:
    steps = (
        replace(step, seconds=READY_SECONDS) if isinstance(step, Check) else step for step in wanted.steps
    )
    return replace(wanted, steps=tuple(steps))


@contextmanager
def account() -> Iterator[Path]:
    """A state directory for one emulated AWS, which is stopped at the end.

    Not below pytest's own folder: each session that starts takes the way through that one from PostgreSQL,
    which runs as somebody else where tests run as root.
    """
    with tempfile.TemporaryDirectory(prefix="onsale-account-") as folder:
        try:
            yield Path(folder)
        finally:
            running.stop(folder)


@contextmanager
def another_checkout(folder: Path, change: Callable[[Path], None]) -> Iterator[Path]:
    """A copy of what is deployed, changed; `change` is given its folder."""
    copy = folder / f"checkout-{uuid4().hex}"
    shutil.copytree(
        CHECKOUT / "chalicelib", copy / "chalicelib", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("app.py", ".chalice/config.json", "infra/stacks/service.yaml", *LOCKS):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, copy / name)
    kept = Layout.at(None).root / "build"
    (copy / kept.relative_to(CHECKOUT)).mkdir(parents=True)
    for wheels in kept.glob("wheels-*"):  # fetched already
        (copy / wheels.relative_to(CHECKOUT)).symlink_to(wheels)
    change(copy)
    yield copy
    shutil.rmtree(copy)
