"""A rush with chaos from beginning to end: the storm beside the crowd, then every audit there is.

The order of things and nothing else. It must not print.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import msgspec

from chalicelib.errors import Unavailable
from infra.audit.walk import Places, walk
from infra.chaos.schedule import Kind, schedule
from infra.chaos.seen import ChaosSeen, chaos_checks, chaos_seen
from infra.chaos.storm import Storm
from infra.chaos.strike import Strikers, Struck
from infra.local import sqs
from infra.local.issuer import token_if_needed
from infra.local.layout import Layout
from infra.rush import http
from infra.rush.plan import RushPlan
from infra.rush.progress import Notes
from infra.rush.result import RushResult
from infra.rush.rush import as_staff
from infra.rush.service import Service, ServiceFault
from infra.rush.verdict import Audit, verdict

PLAN: dict[str, Any] = {"tickets": 16_000, "buyers": 20_000, "over_seconds": 45.0, "decide_seconds": 120.0}
"""What a rush with chaos is unless told otherwise. At full speed 20,000 requests are over in some seconds,
and faults would find nobody. With 16,000 tickets the sale is alive for four fifths of the time, and the
last faults meet an event that is sold out, which must not come back on sale for them."""
SETTLE_SECONDS = 10.0


Play = Callable[..., RushResult]


class ChaosResult(RushResult, frozen=True, kw_only=True, rename="camel"):
    """A rush's result and what chaos did to it. `audit` has the checks of both and of the walk."""

    chaos: ChaosSeen
    walk: Audit


class _Around:
    """The running stack as a storm meets it, for one event."""

    def __init__(self, strikers: Strikers, to: http.Address, queue_url: str, event_id: int) -> None:
        self._strikers = strikers
        self._to = to
        self._queue_url = queue_url
        self._event_id = event_id

    def strike(self, kind: Kind) -> Struck:
        return self._strikers.strike(kind, self._gate_answers)

    def gap(self) -> int:
        with closing(Service(self._to, patience_seconds=0)) as service:
            return service.gap(self._event_id)

    def is_quiet(self) -> bool:
        try:
            return sqs.waiting(self._queue_url) == (0, 0)
        except Unavailable:
            return False

    def _gate_answers(self) -> bool:
        with closing(Service(self._to, patience_seconds=0)) as service:
            try:
                service.availability(self._event_id)
            except ServiceFault:
                return False
        return True


def run_chaos(plan: RushPlan, layout: Layout, steps: Notes, play: Play) -> ChaosResult:
    """Plays a rush against the stack in `layout` while faults strike it; `plan.seed` names those, too.

    `play` is the rush, of which only what goes on beside it is still to be said.

    Raises NotOurs when the stack may not be struck, ValueError when the crowd takes no time, and what
    `play` and `walk` raise.
    """
    if not plan.over_seconds:
        raise ValueError("faults need a crowd that takes its time: give it seconds to come over")
    strikers = Strikers(layout)
    state: dict[str, Any] = layout.read_state() or {}
    queues, dsn = state["sqs"], state["postgres"]["dsn"]
    to = as_staff(http.address(plan.url), partial(token_if_needed, state["environment"]))
    storms: list[Storm] = []

    def beside(event_id: int) -> Storm:
        around = _Around(strikers, to, queues["queueUrl"], event_id)
        storms.append(Storm(schedule(plan.seed, plan.over_seconds), around, steps.note))
        return storms[0]

    result = play(steps=steps, beside=beside)
    seen = chaos_seen(plan.seed, storms[0].faults, storms[0].looks)
    places = Places(dsn, state["valkey"]["url"], queues["queueUrl"], queues["deadLetterUrl"])
    return _with_chaos(result, seen, walk(places, result.event_id, SETTLE_SECONDS)[1])


def _with_chaos(result: RushResult, seen: ChaosSeen, walked: Audit) -> ChaosResult:
    checks = [*result.audit.checks, *chaos_checks(seen), *walked.checks]
    everything = verdict(checks, *result.audit.notes, *walked.notes)
    figures = msgspec.structs.asdict(result) | {"audit": everything}
    return ChaosResult(**figures, chaos=seen, walk=walked)
