"""The scheduled function: brings the gate back in line with the ledger, and lost orders back on the queue.

A crash between the gate's yes and the queue leaves a claim without a message. The claim holds the
whole order, so nothing has to be guessed; a message that was not lost after all changes nothing.
A gate that was down when an event's terms changed gets them here.
"""

from __future__ import annotations

from chalicelib.errors import Rejected
from chalicelib.log import log
from chalicelib.services import Services

BATCH = 1_000
"""Claims put back per event and run: bounds one run to about a second of sends."""


def reconcile(services: Services, overdue_ms: int | None = None) -> dict[str, int]:
    """Sends every claim that has waited `overdue_ms` (default: the settings') for its answer again.

    Returns {"requeued": n}. Raises Unavailable when a store is down; the next run goes on.
    """
    age_ms = services.settings.claim_overdue_ms if overdue_ms is None else overdue_ms
    requeued = sum(_event(services, event_id, age_ms) for event_id in services.gate.loaded_events())
    if requeued:
        log("claims-requeued", count=requeued)
    return {"requeued": requeued}


def _event(services: Services, event_id: int, age_ms: int) -> int:
    """Sees to one event; returns the number of orders put back on the queue."""
    try:
        services.gate.configure(services.ledger.event(event_id))
    except Rejected:
        log("event-unknown", "warning", eventId=event_id)
    claims = services.gate.overdue(event_id, age_ms, BATCH)
    for claim in claims:
        services.queue.send(claim.decode(), str(event_id))
    return len(claims)
