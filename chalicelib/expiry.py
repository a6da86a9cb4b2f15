"""The scheduled function that ends holds: what was not paid in time goes back on sale.

The ledger expires in batches, beside payments that arrive at that very moment; the gate is realigned
afterwards. This module knows no rule and no SQL.
"""

from __future__ import annotations

from chalicelib.metrics import emit
from chalicelib.restock import restock
from chalicelib.services import Services

BATCH = 500
"""Orders that expire in one transaction: a few tens of ms, in which a payment for one of them waits."""
MAX_BATCHES = 100
"""Bounds one run; what is left is due a moment later as well."""


def expire(services: Services) -> dict[str, int]:
    """Expires every reserved order whose time is over, and puts the tickets back on sale.

    Returns {"expired": orders, "events": touched}. Raises Unavailable when the ledger is down; what was
    expired until then is back on sale, and the next run goes on.
    """
    expired: dict[int, int] = {}
    try:
        for _ in range(MAX_BATCHES):
            batch = services.ledger.expire_due(services.clock(), BATCH)
            if not batch:
                break
            for event_id, orders in batch.items():
                expired[event_id] = expired.get(event_id, 0) + orders
    finally:
        restock(services, sorted(expired))
        for event_id, orders in expired.items():
            facts = {"eventId": event_id, "count": orders}
            emit("orders-expired", {"Expired": orders}, fields=facts, event_id=event_id)
    return {"expired": sum(expired.values()), "events": len(expired)}
