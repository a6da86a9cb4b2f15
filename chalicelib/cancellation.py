"""Cancels an order, wherever it is on its way, and puts its tickets back on sale once.

The ledger decides: a pending order is written there as cancelled, so that its message, when it comes,
finds it decided. Only then is its claim returned. This module knows no HTTP and no rule.
"""

from __future__ import annotations

from chalicelib.errors import OnsaleError, Rejected, Unavailable
from chalicelib.log import log
from chalicelib.model import Order, OrderPlaced
from chalicelib.restock import restock
from chalicelib.services import Services


def cancel(services: Services, order_id: str) -> Order:
    """Cancels a pending, reserved or confirmed order; one that is cancelled already stays as it is.

    Returns the order as it is now. Raises Rejected("order-not-found"), Rejected("order-not-cancellable")
    when it was rejected or has expired, or Unavailable when the ledger is down, or the gate and the ledger
    does not know the order.
    """
    claim, failure = claim_of(services, order_id)
    try:
        order = services.ledger.cancel(order_id, claim, services.clock())
    except Rejected as error:
        if failure is not None and error.code == "order-not-found":
            raise failure from error
        raise
    if not _returned(services, order):
        restock(services, [order.event_id], [order.user_id])
    return order


def claim_of(services: Services, order_id: str) -> tuple[OrderPlaced | None, Unavailable | None]:
    """Asks the gate for a claim; a gate that is down must not hide what the ledger has decided."""
    try:
        return services.gate.claim(order_id), None
    except Unavailable as error:
        return None, error


def _returned(services: Services, order: Order) -> bool:
    """Gives the claim's tickets back, even if fulfilment would have kept it; False when there is no claim."""
    try:
        return services.gate.settle(order.event_id, kept=[], returned=[order.id]) > 0
    except OnsaleError as error:
        log("claim-not-returned", "warning", orderId=order.id, eventId=order.event_id, cause=error.detail)
        return False
