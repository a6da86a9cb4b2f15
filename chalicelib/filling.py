"""Asks the gate, and fills a cold one from the ledger first. Nowhere else is the gate filled.

A wiped Valkey refills itself by the first question that meets it; so does an event that was unloaded, whose
claims are of orders that may be decided by now: those are settled on the way. Knows no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from chalicelib.errors import OnsaleError, Unavailable
from chalicelib.gate.refusals import NotLoaded
from chalicelib.log import log
from chalicelib.model import Event, OrderQuery

if TYPE_CHECKING:  # the drivers behind these take 300 ms to import, which a refusal must not wait for
    from chalicelib.gate.gate import Gate
    from chalicelib.ledger.ledger import Ledger
    from chalicelib.services import Services

FILL_ATTEMPTS = 20
"""Fillings tried before the buyer hears 503; with FILL_PAUSE_SECONDS that is under half a second."""
FILL_PAUSE_SECONDS = 0.02

_T = TypeVar("_T")


def filled(services: Services, event_id: int, ask: Callable[[], _T]) -> _T:
    """Returns what `ask` returns; when it raises NotLoaded, fills the event and asks again.

    Raises what `ask` raises, Rejected("event-not-found"), or Unavailable.
    """
    for _ in range(FILL_ATTEMPTS):
        try:
            return ask()
        except NotLoaded:
            if not _fill(services.gate, services.ledger, event_id):
                time.sleep(FILL_PAUSE_SECONDS)
    raise Unavailable("gate", "the event could not be filled from the ledger")


def _fill(gate: Gate, ledger: Ledger, event_id: int) -> bool:
    """Fills one cold event; False when somebody else is at it, or the ledger has moved on meanwhile."""
    epoch = gate.begin_load(event_id)
    if epoch is None:
        return False
    try:
        event, decided = _view(ledger, event_id, gate.held(event_id))
        refilled = bool(ledger.orders(OrderQuery(event_id=event_id, limit=1)))
    except OnsaleError:
        gate.end_load(event_id)
        raise
    if not gate.load(event, epoch, refilled=refilled, decided=decided):
        return False
    log("gate-filled", eventId=event_id, refilled=refilled, settled=len(decided))
    return True


def _view(ledger: Ledger, event_id: int, held: Sequence[str]) -> tuple[Event, Collection[str]]:
    """The event, and which of the held orders are decided, as of one moment."""
    event = ledger.event(event_id)
    if not held:
        return event, ()
    found = ledger.survey(event_id, held)
    return msgspec.structs.replace(event, ticket_types=found.ticket_types), found.decided
