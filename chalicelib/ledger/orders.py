"""Reading decided orders. What is read here may decide a write, so that it is read from the writer."""

from __future__ import annotations

from chalicelib.ledger.rows import order_of_row
from chalicelib.ledger.store import Store
from chalicelib.model import Order, OrderQuery


class Orders(Store):
    """The orders that have an answer."""

    def order(self, order_id: str) -> Order | None:
        """Finds a decided order by its id (a UUID in text form); None when the ledger has no answer yet."""
        found = self._orders(OrderQuery(limit=1), order_id)
        return found[0] if found else None

    def orders(self, query: OrderQuery) -> list[Order]:
        """Lists decided orders, newest first."""
        return self._orders(query, None)

    def order_by_key(self, user_id: str, key: str) -> tuple[Order, str | None] | None:
        """Finds the decided order of a buyer that has this idempotency key, and its request digest."""
        rows = self._rows(self._queries.read_order_by_key, {"user_id": user_id, "key": key})
        return (order_of_row(rows[0]), rows[0][-1]) if rows else None

    def _orders(self, query: OrderQuery, order_id: str | None) -> list[Order]:
        arguments = {
            "id": order_id,
            "event_id": query.event_id,
            "user_id": query.user_id,
            "status": None if query.status is None else query.status.value,
            "before": query.before,
            "lim": query.limit,
        }
        return [order_of_row(row) for row in self._rows(self._queries.read_orders, arguments)]
