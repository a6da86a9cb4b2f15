"""What a rush came to, as one value: the object that `--json` prints, field for field.

Its names are stable. It must not know the terminal or the network; it adds up what it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from infra.rush.crowd import Tally
from infra.rush.curve import Curve, sell_curve
from infra.rush.facts import Facts, OrderSeen
from infra.rush.follow import Sighting
from infra.rush.measures import Latency, latency, latency_of_ns, per_second, share_within
from infra.rush.plan import RushPlan
from infra.rush.verdict import Audit

SOON_MS = 1_000.0
"""An answer within this time of its 202 counts as soon."""


class RushResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Counts are orders unless a name says tickets; `…_ms` are waits in milliseconds, None without any.

    `decide_ms` is accept→decided by the service's own stamps, `observed_decide_ms` the same as a sample of
    buyers saw it at the pace of Retry-After. Accepts a second count to the last accept, decisions from the
    first accept to the last decision, answers a second over the whole crowd. `decided_soon_share` (0 to 1)
    are those decided within a second of their 202. `unsent` buyers found no connection.
    """

    plan: RushPlan
    event_id: int
    accepted: int
    refused: dict[str, int]
    refused_total: int
    unknown: int
    unsent: int
    confirmed: int
    confirmed_tickets: int
    rejected: dict[str, int]
    rejected_total: int
    undecided: int
    accept_ms: Latency | None
    refuse_ms: Latency | None
    decide_ms: Latency | None
    observed_decide_ms: Latency | None
    accepted_per_second: float
    decided_per_second: float
    answers_per_second: float
    decided_soon_share: float | None
    crowd_seconds: float
    crowd_cpu_micros: float
    curve: Curve
    audit: Audit
    history: str | None = None
    """The file that has every request, answer and ledger change of the rush, if one was written."""


def conclude(
    plan: RushPlan, tally: Tally, sightings: Sequence[Sighting], facts: Facts, verdict: Audit
) -> RushResult:
    """Adds everything up."""
    decided = [order for order in facts.listed if order.decided]
    confirmed = [order for order in decided if order.status == "confirmed"]
    rejected = Counter(order.reason or "no reason" for order in decided if order.status == "rejected")
    waits_ms = _waits_ms(decided)
    crowd_seconds = (tally.finished_ns - tally.started_ns) / 1e9
    return RushResult(
        plan=plan,
        event_id=facts.event.id,
        accepted=len(tally.accepted),
        refused=dict(tally.refused.most_common()),
        refused_total=tally.refused.total(),
        unknown=tally.unknown,
        unsent=plan.buyers - tally.requests,
        confirmed=len(confirmed),
        confirmed_tickets=sum(order.quantity for order in confirmed),
        rejected=dict(rejected.most_common()),
        rejected_total=rejected.total(),
        undecided=len(set(tally.accepted) - {order.id for order in decided}),
        accept_ms=latency_of_ns(tally.accept_ns),
        refuse_ms=latency_of_ns(tally.refuse_ns),
        decide_ms=latency(waits_ms),
        observed_decide_ms=latency_of_ns([sighting.waited_ns for sighting in sightings]),
        accepted_per_second=per_second(
            len(tally.accepted), (tally.last_accept_ns - tally.started_ns) / 1e9 if tally.accepted else 0.0
        ),
        decided_per_second=per_second(len(decided), _decision_seconds(decided)),
        answers_per_second=per_second(tally.answered, crowd_seconds),
        decided_soon_share=share_within(waits_ms, SOON_MS),
        crowd_seconds=round(crowd_seconds, 3),
        crowd_cpu_micros=round(tally.cpu_seconds * 1e6 / max(tally.requests, 1), 1),
        curve=sell_curve(_moments_ms(decided, confirmed)),
        audit=verdict,
    )


def _waits_ms(decided: Sequence[OrderSeen]) -> list[float]:
    return [
        (order.decided_at - order.accepted_at).total_seconds() * 1_000
        for order in decided
        if order.decided_at and order.accepted_at
    ]


def _decision_seconds(decided: Sequence[OrderSeen]) -> float:
    first = _first_accept(decided)
    last = max((order.decided_at for order in decided if order.decided_at), default=None)
    return (last - first).total_seconds() if first and last else 0.0


def _moments_ms(decided: Sequence[OrderSeen], confirmed: Sequence[OrderSeen]) -> list[float]:
    first = _first_accept(decided)
    if first is None:
        return []
    spans = (order.decided_at - first for order in confirmed if order.decided_at)
    return [max(span.total_seconds() * 1_000, 0.0) for span in spans]


def _first_accept(decided: Sequence[OrderSeen]) -> datetime | None:
    return min((order.accepted_at for order in decided if order.accepted_at), default=None)
