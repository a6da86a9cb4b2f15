"""The scheduled function: brings the gate back in line with the ledger, and lost orders back on the queue.

A crash between the gate's yes and the queue leaves a claim without a message. The claim holds the
whole order, so nothing has to be guessed; a message that was not lost after all changes nothing.
A gate that was down when an event's terms changed gets them here, and one whose stock is not what the
ledger leaves for sale is realigned.
"""

from __future__ import annotations

from chalicelib.errors import Rejected, Unavailable
from chalicelib.log import log
from chalicelib.realign import lasting_drift, realign
from chalicelib.services import Services

BATCH = 1_000
"""Claims put back per event and run: bounds one run to about a second of sends."""


def reconcile(services: Services, overdue_ms: int | None = None) -> dict[str, int]:
    """Sees to every event in the gate. A claim is overdue after `overdue_ms`; the default is the settings'.

    Returns {"requeued": orders put back on the queue, "realigned": events whose stock was not right}.
    Raises Unavailable when a store is down; the next run goes on.
    """
    age_ms = services.settings.claim_overdue_ms if overdue_ms is None else overdue_ms
    requeued = realigned = 0
    for event_id in services.gate.loaded_events():
        if not _configured(services, event_id):
            continue
        requeued += _requeue(services, event_id, age_ms)
        realigned += _realign(services, event_id)
    if requeued:
        log("claims-requeued", count=requeued)
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
    """Sends overdue orders again; returns how many."""
    claims = services.gate.overdue(event_id, age_ms, BATCH)
    for claim in claims:
        services.queue.send(claim.decode(), str(event_id))
    return len(claims)


def _realign(services: Services, event_id: int) -> bool:
    """Corrects a stock that stays wrong; returns whether it did. An event that is too busy waits its turn."""
    try:
        if not lasting_drift(services, event_id):
            return False
        corrected = realign(services, event_id)
    except Unavailable as error:
        log("not-realigned", "warning", eventId=event_id, part=error.part, detail=error.detail)
        return False
    tickets = sum(abs(difference) for difference in corrected.values())
    log("gate-drift", "warning", eventId=event_id, tickets=tickets, byType=corrected)
    return True
