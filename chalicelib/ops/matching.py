"""Makes one match of an order from all the places that have something of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from chalicelib.model import Order, OrderPlaced, OrderStatus
from chalicelib.traces import Candidate, Letter, Match, Matched, Place

_RANK = {matched: rank for rank, matched in enumerate(Matched)}


def merged(candidates: Iterable[Candidate], event_id: int | None) -> list[Candidate]:
    """One candidate an order, with the best reason to be one."""
    best: dict[str | None, Candidate] = {}
    for each in sorted(candidates, key=lambda each: _RANK[each.matched]):
        if event_id in {None, each.event_id}:
            best.setdefault(each.order_id, each)
    return list(best.values())


def match(
    candidate: Candidate, claim: OrderPlaced | None, order: Order | None, letter: Letter | None
) -> Match:
    """One order from all its places. What the ledger says counts: a claim may outlive its answer."""
    of = order or claim or letter
    accepted_at = None if claim is None else datetime.fromtimestamp(claim.accepted_at_ms / 1_000, UTC)
    pending = None if candidate.order_id is None else OrderStatus.PENDING
    has = {Place.GATE: claim, Place.LEDGER: order, Place.DEAD_LETTERS: letter}
    return Match(
        order_id=candidate.order_id,
        event_id=candidate.event_id,
        user_id=None if of is None else of.user_id,
        status=pending if order is None else order.status,
        accepted_at=accepted_at if order is None else order.accepted_at,
        places=tuple(place for place, what in has.items() if what is not None),
        message_id=None if letter is None else letter.message_id,
        matched=candidate.matched,
    )
