"""How a sale has gone, as its orders tell: tickets by when they were decided, and what was rejected why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.ledger.store import Store
from chalicelib.model import Sales


class SalesFigures(Store):
    """Counts over all orders of an event."""

    def sales(self, event_id: int, edges: Sequence[datetime]) -> Sales:
        """Counts an event's orders by the moment at which they were decided.

        `edges`, ascending, part time into len(edges) + 1 pieces; an edge belongs to the piece that it begins.
        Two statements, 60 ms for 100,000 orders. An event that is not there has sold nothing.
        """
        ((first, buyers),) = self._rows(self._queries.read_sale_facts, {"event_id": event_id})
        rows = self._rows(self._queries.read_sales, {"event_id": event_id, "edges": list(edges)})
        sold = [0] * (len(edges) + 1)
        rejected: list[dict[str, int]] = [{} for _ in sold]
        last = None
        for piece, reason, orders, tickets, decided_at in rows:
            if reason is None:
                sold[piece] = tickets
                last = decided_at if last is None else max(last, decided_at)
            else:
                rejected[piece][reason] = orders
        return Sales(
            first_accepted_at=None if first is None else first.astimezone(UTC),
            last_sold_at=None if last is None else last.astimezone(UTC),
            buyers=buyers,
            sold=tuple(sold),
            rejected=tuple(rejected),
        )
