"""What happens between the door and the 202: the gate says yes, then the queue has the order.

A cold gate is filled from the ledger here and nowhere else. Knows no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from chalicelib.errors import OnsaleError, Unavailable
from chalicelib.gate.refusals import NotLoaded
from chalicelib.log import log
from chalicelib.model import OrderIntent, OrderPlaced, Stock
from chalicelib.queue.answers import QueueRefused

if TYPE_CHECKING:  # the drivers behind these take 300 ms to import, which a refusal must not wait for
    from chalicelib.gate.gate import Gate
    from chalicelib.ledger.ledger import Ledger
    from chalicelib.services import Services

FILL_ATTEMPTS = 20
"""Fillings tried before the buyer hears 503; with FILL_PAUSE_SECONDS that is under half a second."""
FILL_PAUSE_SECONDS = 0.02

_decode = msgspec.json.Decoder(OrderPlaced).decode
_T = TypeVar("_T")


def place(services: Services, intent: OrderIntent) -> OrderPlaced:
    """Admits one order and puts it on the queue.

    Returns the accepted order. Raises Rejected with the gate's reason, `event-not-found`, or Unavailable;
    after an ambiguous Unavailable the claim stays, and the reconciler sees to it that it is decided.
    """
    claim = _filled(services, intent.event_id, lambda: services.gate.admit(intent))
    try:
        services.queue.send(claim.decode(), str(intent.event_id))
    except (Unavailable, QueueRefused) as error:
        if not getattr(error, "ambiguous", False):
            _give_back(services, intent)
        raise
    return _decode(claim)


def availability(services: Services, event_id: int) -> tuple[list[Stock], datetime]:
    """Tells what the gate can still give, by ticket type, and as of when.

    Raises Rejected("event-not-found") or Unavailable.
    """

    def look() -> tuple[list[Stock], datetime]:
        found = services.gate.availability(event_id)
        if found is None:
            raise NotLoaded
        return found

    return _filled(services, event_id, look)


def _filled(services: Services, event_id: int, ask: Callable[[], _T]) -> _T:
    """Asks the gate, and when it is cold fills it and asks again."""
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
        event = ledger.event(event_id)
    except OnsaleError:
        gate.end_load(event_id)
        raise
    return gate.load(event, epoch)


def _give_back(services: Services, intent: OrderIntent) -> None:
    """Returns the tickets of an order that the queue certainly does not have."""
    try:
        services.gate.settle(intent.event_id, kept=[], returned=[intent.order_id])
    except Unavailable:
        log("claim-kept", orderId=intent.order_id, eventId=intent.event_id)
