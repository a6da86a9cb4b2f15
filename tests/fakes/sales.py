"""The ledger's figures of a sale in memory, and the operators' log."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from chalicelib.model import Order, OrderStatus, Sales
from tests.fakes.books import Books

TAKEN = {OrderStatus.CONFIRMED, OrderStatus.RESERVED}


class MemorySales(Books):
    """Counts what the books have."""

    def sales(self, event_id: int, edges: Sequence[datetime]) -> Sales:
        """Counts an event's orders by the moment at which they were decided."""
        with self._lock:
            orders = [order for order in self._orders.values() if order.event_id == event_id]
            buyers = sum(
                1 for (event, _), tally in self._tallies.items() if event == event_id and tally.quantity > 0
            )
        sold = [0] * (len(edges) + 1)
        rejected: list[dict[str, int]] = [{} for _ in sold]
        for order in orders:
            piece = bisect_right(edges, _decided(order))
            if order.status in TAKEN:
                sold[piece] += sum(item.quantity for item in order.items)
            elif order.reason is not None:
                rejected[piece][order.reason] = rejected[piece].get(order.reason, 0) + 1
        taken = [_decided(order) for order in orders if order.status in TAKEN]
        first = min(orders, key=lambda order: order.id, default=None)
        return Sales(
            first_accepted_at=None if first is None else first.accepted_at,
            last_sold_at=max(taken, default=None),
            buyers=buyers,
            sold=tuple(sold),
            rejected=tuple(rejected),
        )


def _decided(order: Order) -> datetime:
    assert order.decided_at is not None
    return order.decided_at
