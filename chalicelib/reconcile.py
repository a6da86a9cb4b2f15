"""The scheduled function: brings the gate back in line with the ledger, and lost orders back on the queue.

A crash between the gate's yes and the queue leaves a claim without a message. The claim holds the
whole order, so nothing has to be guessed; a message that was not lost after all changes nothing.
A gate that was down when an event's terms changed gets them here, and one whose stock is not what the
ledger leaves for sale is realigned. While an operator has paused fulfilment, orders wait on the queue, and
none is put there again: each run would add another copy of all that wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from chalicelib.errors import Rejected, Unavailable
from chalicelib.log import log
from chalicelib.metrics import emit
from chalicelib.pausing import is_paused
from chalicelib.queue.messages import Undecodable, decode
from chalicelib.realign import Picture, lasting_picture, realign
from chalicelib.services import Services

BATCH = 1_000
"""Claims put back per event and run: bounds one run to about a second of sends."""
ROUNDS = 10
"""Batches of nothing but dead letters that are passed over per event and run."""


class Wrong(NamedTuple):
    """How wrong it is before it is mended, in tickets."""

    drift: int
    """What the gate's stock has too much or too little, ticket type by ticket type."""
    gap: int
    """Tickets of an event that are nowhere, or in two places."""

    def values(self) -> dict[str, int]:
        """The same as metrics."""
        return {"GateDrift": self.drift, "ConservationGap": self.gap}


def reconcile(services: Services, overdue_ms: int | None = None) -> dict[str, int]:
    """Sees to every event in the gate. A claim is overdue after `overdue_ms`; the default is the settings'.

    Returns {"requeued": orders put back on the queue, "realigned": events whose stock was not right}.
    Raises Unavailable when a store is down; the next run goes on.
    """
    age_ms = services.settings.claim_overdue_ms if overdue_ms is None else overdue_ms
    requeued = realigned = 0
    seen: list[Wrong] = []
    paused = is_paused(services)
    for event_id in services.gate.loaded_events():
        if not _configured(services, event_id):
            continue
        requeued += 0 if paused else _requeue(services, event_id, age_ms)
        realigned += _realign(services, event_id, seen)
    if requeued:
        log("claims-requeued", count=requeued)
    emit("reconciled", _summed(seen).values(), fields={"events": len(seen)})
    return {"requeued": requeued, "realigned": realigned}


def _configured(services: Services, event_id: int) -> bool:
    """Passes the terms of sale on; False for an event that the ledger does not have."""
    try:
        services.gate.configure(services.ledger.event(event_id))
    except Rejected:
        log("event-unknown", "warning", eventId=event_id)
        return False
    return True


def _requeue(services: Services, event_id: int, age_ms: int) -> int:
    """Sends overdue orders again whose messages may be lost; returns how many.

    Whoever is handed out has waited least from then on, so that dead letters stand in nobody's way: a batch
    of nothing else makes room for the next one at once.
    """
    for _ in range(ROUNDS):
        claims = services.gate.overdue(event_id, age_ms, BATCH)
        lost = _lost(services, claims, age_ms)
        for claim in lost:
            services.queue.send(claim.decode(), str(event_id))
        if lost or len(claims) < BATCH:
            return len(lost)
    return 0


def _lost(services: Services, claims: Sequence[bytes], age_ms: int) -> list[bytes]:
    """Leaves out what is a dead letter or failed lately: each run would add a copy that fails as well."""
    if not claims:
        return []
    ids = [_order_id(claim) for claim in claims]
    lately = services.clock() - timedelta(milliseconds=age_ms)
    there = services.ledger.have_messages([order_id for order_id in ids if order_id], lately)
    return [claim for claim, order_id in zip(claims, ids, strict=True) if order_id not in there]


def _order_id(claim: bytes) -> str | None:
    try:
        return decode(claim).order_id
    except Undecodable:
        return None


def _realign(services: Services, event_id: int, seen: list[Wrong]) -> bool:
    """Corrects a stock that stays wrong; returns whether it did. An event that is too busy waits its turn.

    What is wrong before is told, and added to `seen`.
    """
    try:
        picture = lasting_picture(services, event_id)
        if picture is None:
            return False
        seen.append(_told(services, event_id, picture))
        if not picture.drift():
            return False
        corrected = realign(services, event_id)
    except Unavailable as error:
        log("not-realigned", "warning", eventId=event_id, part=error.part, detail=error.detail)
        return False
    tickets = sum(abs(difference) for difference in corrected.values())
    log("gate-drift", "warning", eventId=event_id, tickets=tickets, byType=corrected)
    return True


def _told(services: Services, event_id: int, picture: Picture) -> Wrong:
    """Writes an event's line, unless nothing has happened to it: quiet events cost no metric."""
    drift = picture.drift()
    wrong = Wrong(sum(abs(tickets) for tickets in drift.values()), abs(sum(drift.values())))
    before = services.epochs.get(event_id)
    services.epochs[event_id] = picture.gate.epoch
    if drift or picture.gate.claims or before not in {None, picture.gate.epoch}:
        emit(
            "event-reconciled",
            wrong.values(),
            fields={"eventId": event_id},
            event_id=event_id,
            of_event_only=True,
        )
    return wrong


def _summed(seen: Iterable[Wrong]) -> Wrong:
    return Wrong(sum(each.drift for each in seen), sum(each.gap for each in seen))
