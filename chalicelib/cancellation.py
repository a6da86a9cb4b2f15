"""Cancels an order, wherever it is on its way, and puts its tickets back on sale once.

The ledger decides: a pending order is written there as cancelled, so that its message, when it comes,
finds it decided. Only then is its claim returned. This module knows no HTTP and no rule.
"""

from __future__ import annotations

from chalicelib.errors import OnsaleError, Rejected
from chalicelib.log import log
from chalicelib.metrics import emit
from chalicelib.model import Order, OrderPlaced
from chalicelib.restock import restock
from chalicelib.services import Services
from chalicelib.whereabouts import look_up, missing


def cancel(services: Services, order_id: str) -> Order:
    """Cancels a pending, reserved or confirmed order; one that is cancelled already stays as it is.

    Returns the order as it is now. Raises Rejected("order-not-found"), Rejected("order-not-cancellable")
    when it was rejected or has expired, or Unavailable when the ledger is down, or the ledger does not know
    the order and the gate is down or has forgotten what was on its way.
    """
    known, failure = look_up(services, order_id)
    try:
        order, is_news = services.ledger.cancel(order_id, known.claim, services.clock())
    except Rejected as error:
        if error.code == "order-not-found":
            raise failure or missing(services, order_id, known) from error
        raise
    if not _returned(services, order.event_id, order.id):
        restock(services, [order.event_id])
    _note(order, is_news=is_news)
    return order


def _note(order: Order, *, is_news: bool) -> None:
    """Writes the line of an order that is cancelled; whoever cancels again is told so, and not counted."""
    if is_news:
        _tell(order.event_id, order.id)
    else:
        log("order-cancelled", eventId=order.event_id, orderId=order.id)


def _tell(event_id: int, order_id: str) -> None:
    about = {"eventId": event_id, "orderId": order_id}
    emit("order-cancelled", {"Cancelled": 1}, fields=about, event_id=event_id)


def cancel_undecided(services: Services, placed: OrderPlaced) -> bool:
    """Cancels an order that has no answer yet, known from its message; one that was decided stays as it is.

    Returns whether it was cancelled here. Its claim is returned if the gate still has it. Raises Unavailable.
    """
    if not services.ledger.cancel_undecided(placed, services.clock()):
        return False
    if not _returned(services, placed.event_id, placed.order_id):
        restock(services, [placed.event_id])
    _tell(placed.event_id, placed.order_id)
    return True


def _returned(services: Services, event_id: int, order_id: str) -> bool:
    """Gives the claim's tickets back, even if fulfilment would have kept it; False when there is no claim."""
    try:
        return services.gate.settle(event_id, kept=[], returned=[order_id]) > 0
    except OnsaleError as error:
        log("claim-not-returned", "warning", orderId=order_id, eventId=event_id, cause=error.detail)
        return False
