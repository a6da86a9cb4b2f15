"""The scheduled function: puts orders whose message was lost on the queue again.

A crash between the gate's yes and the queue leaves a claim without a message. The claim holds the
whole order, so nothing has to be guessed; a message that was not lost after all changes nothing.
"""

from __future__ import annotations

from chalicelib.log import log
from chalicelib.services import Services

BATCH = 1_000
"""Claims put back per event and run: bounds one run to about a second of sends."""


def reconcile(services: Services, overdue_ms: int | None = None) -> dict[str, int]:
    """Sends every claim that has waited `overdue_ms` (default: the settings') for its answer again.

    Returns {"requeued": n}. Raises Unavailable when a store is down; the next run goes on.
    """
    age_ms = services.settings.claim_overdue_ms if overdue_ms is None else overdue_ms
    requeued = 0
    for event_id in services.gate.loaded_events():
        for claim in services.gate.overdue(event_id, age_ms, BATCH):
            services.queue.send(claim.decode(), str(event_id))
            requeued += 1
    if requeued:
        log("claims-requeued", count=requeued)
    return {"requeued": requeued}
