"""A rush from beginning to end: an event, its crowd, the wait for every answer, the audit, the figures.

The order of things and nothing else; each is done in a module of its own. It must not print.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec
import uvloop
from msgspec.structs import replace

from chalicelib.identity.principal import Role
from infra.history.lines import Event, Left, TypeAsked
from infra.rush import http
from infra.rush.audit import audit
from infra.rush.crowd import Crowd, Manner, Tally
from infra.rush.facts import EventSeen, Facts, LedgerSeen
from infra.rush.follow import Followers, Sighting
from infra.rush.plan import RushPlan
from infra.rush.progress import Steps, Unseen
from infra.rush.result import RushResult, conclude
from infra.rush.service import PAGE, Service
from infra.rush.verdict import Audit

if TYPE_CHECKING:
    from infra.history.recorder import Recorder

LOOK_SECONDS = 0.25
DRAW_SECONDS = 0.5

LedgerReader = Callable[[int], LedgerSeen]
"""Event id in, the ledger's snapshot of that event out."""
Beside = Callable[[int], AbstractContextManager[object]]
"""Event id in, what goes on beside the rush out: entered with the crowd, left once every order is decided."""


def nothing(_: int) -> AbstractContextManager[object]:
    """The rush alone."""
    return nullcontext()


class Passes(Protocol):
    """Makes a token for somebody; empty where nobody asks for one."""

    def __call__(self, user_id: str, /, *roles: Role) -> str:
        """The token."""


def no_token(_: str, /, *__: Role) -> str:
    """For a service in open mode."""
    return ""


def as_staff(to: http.Address, passes: Passes) -> http.Address:
    """The address as somebody asks there who may do all that a rush does beside buying."""
    return replace(to, token=passes("rush", Role.ORGANISER, Role.OPERATOR))


@dataclass(frozen=True, slots=True)
class _Stage:
    plan: RushPlan
    to: http.Address
    service: Service
    event: EventSeen
    read_ledger: LedgerReader | None
    steps: Steps
    record: Recorder | None
    passes: Passes


def run_rush(  # noqa: PLR0913 - the named ones may all be left out
    plan: RushPlan,
    *,
    read_ledger: LedgerReader | None = None,
    steps: Steps | None = None,
    record: Recorder | None = None,
    beside: Beside = nothing,
    passes: Passes = no_token,
) -> RushResult:
    """Plays one on-sale at `plan.url` and audits it; without `read_ledger`, by HTTP alone.

    `record` hears of all that is asked and answered; see `infra.rush.recorded`. `passes` makes the tokens of
    a service that asks for them.
    Raises ServiceFault when the service cannot be asked, ValueError when the URL is none, and whatever
    `read_ledger` raises. A promise that was broken is no error: it is in the result's audit.
    """
    to = as_staff(http.address(plan.url), passes)
    service = Service(to, plan.patience_seconds)
    try:
        event = service.create_event(f"Rush of {plan.buyers} for {plan.tickets}", plan.tickets)
        stage = _Stage(plan, to, service, event, read_ledger, steps or Unseen(), record, passes)
        if record is not None:
            record.event(_terms(event))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, beside(event.id):
            tally, sightings = runner.run(_meet(stage))
        facts, verdict = _settle(stage, tally, sightings)
        if record is not None:
            record.over([Left(stock.id, stock.available) for stock in facts.availability.ticket_types])
    finally:
        service.close()
    return conclude(plan, tally, sightings, facts, verdict)


def _terms(event: EventSeen) -> Event:
    types = tuple(TypeAsked(kind.id, kind.capacity) for kind in event.ticket_types)
    return Event(id=event.id, ticket_types=types)


def orders(plan: RushPlan, to: http.Address, event_id: int, passes: Passes = no_token) -> Iterator[bytes]:
    """The crowd's requests, one for each buyer, ready to send."""
    for number in range(plan.buyers):
        user_id = f"buyer-{plan.seed}-{number}"
        body = {"eventId": event_id, "quantity": plan.quantity, "userId": user_id}
        as_buyer = replace(to, token=passes(user_id, Role.BUYER))
        yield http.post(as_buyer, "/orders", msgspec.json.encode(body))


async def _meet(stage: _Stage) -> tuple[Tally, list[Sighting]]:
    plan = stage.plan
    followers = Followers(stage.to, every=plan.sample_every, seed=plan.seed, record=stage.record)
    requests = list(orders(plan, stage.to, stage.event.id, stage.passes))
    stage.steps.begin("orders", plan.buyers)
    crowd = Crowd(stage.to, requests, _manner(plan), followers.accepted, stage.record)
    tally = await _drawn(crowd, stage.steps)
    stage.steps.begin("decisions", len(tally.accepted))
    given_up = threading.Event()
    try:
        _, sightings = await asyncio.gather(
            asyncio.to_thread(_wait_until_decided, stage, set(tally.accepted), given_up),
            followers.finish(plan.decide_seconds),
        )
    finally:
        given_up.set()
    return tally, sightings


def _manner(plan: RushPlan) -> Manner:
    return Manner(
        concurrency=plan.concurrency,
        patience_seconds=plan.patience_seconds,
        answer_seconds=plan.answer_seconds,
        per_second=plan.buyers / plan.over_seconds if plan.over_seconds else 0.0,
        seed=plan.seed,
    )


async def _drawn(crowd: Crowd, steps: Steps) -> Tally:
    drawing = asyncio.create_task(_draw(steps, crowd.tally))
    try:
        return await crowd.run()
    finally:
        drawing.cancel()


async def _draw(steps: Steps, tally: Tally) -> None:
    while True:
        await asyncio.sleep(DRAW_SECONDS)
        steps.at(tally.answered)


def _wait_until_decided(stage: _Stage, accepted: set[str], given_up: threading.Event) -> None:
    """Asks for one page of pending orders at a time, and for the whole list only when that is empty.

    Runs in a thread, which Ctrl-C does not reach: `given_up` ends it.
    """
    service, event_id = stage.service, stage.event.id
    until = time.monotonic() + stage.plan.decide_seconds
    while time.monotonic() < until:
        pending = service.some_pending(event_id)
        if pending < PAGE:
            stage.steps.at(max(len(accepted) - pending, 0))
        if not pending and accepted <= {order.id for order in service.orders(event_id)}:
            return
        if given_up.wait(LOOK_SECONDS):
            return


def _settle(stage: _Stage, tally: Tally, sightings: list[Sighting]) -> tuple[Facts, Audit]:
    """Looks until the audit passes: the stores need a moment to agree after the last decision.

    Nothing broken mends itself by waiting: what was sold twice or lost stays so.
    """
    until = time.monotonic() + stage.plan.settle_seconds
    while True:
        facts = _look(stage, tally, sightings)
        verdict = audit(facts)
        if verdict.passed or time.monotonic() > until:
            return facts, verdict
        time.sleep(LOOK_SECONDS)


def _look(stage: _Stage, tally: Tally, sightings: list[Sighting]) -> Facts:
    service, event_id, plan = stage.service, stage.event.id, stage.plan
    return Facts(
        capacity=plan.tickets,
        buyers=plan.buyers,
        quantity=plan.quantity,
        accepted=tuple(tally.accepted),
        refused=dict(tally.refused),
        uncertain=tally.uncertain,
        unknown=tally.unknown,
        sighted={sighting.order_id: sighting.status for sighting in sightings},
        listed=service.orders(event_id),
        availability=service.availability(event_id),
        event=service.event(event_id),
        ledger=stage.read_ledger(event_id) if stage.read_ledger else None,
    )
