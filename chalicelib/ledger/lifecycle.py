"""Cancelling and expiring orders: their tickets go back on sale exactly once. It knows no rule of its own."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import psycopg

from chalicelib.errors import Rejected
from chalicelib.ledger import changes
from chalicelib.ledger.arrays import texts
from chalicelib.ledger.attempt import columns_of
from chalicelib.ledger.orders import Orders
from chalicelib.ledger.rows import order_of_row
from chalicelib.model import Order, OrderPlaced, OrderStatus
from chalicelib.rules import Outcome, change, judge_cancel


class Lifecycle(Orders):
    """What becomes of an order after it was accepted, payment aside."""

    def cancel(self, order_id: str, claim: OrderPlaced | None, now: datetime) -> tuple[Order, bool]:
        """Cancels an order, decided or not. Returns it, and whether that is news: False the second time.

        `claim` is the order as the gate holds it, read before this call: an order that nobody has decided
        is recorded as cancelled from it, at once, so that its message finds it so. Whoever cancels gives
        the claim back. A payment that was applied becomes due for refund. Raises
        Rejected("order-not-found") without a claim, Rejected("order-not-cancellable"), or Unavailable;
        when that is ambiguous, cancelling again is safe.
        """
        early = claim is not None and self.cancel_undecided(claim, now)
        order, late = self._again_when_lost(
            lambda connection: self._cancel_decided(connection, order_id, now)
        )
        return order, early or late

    def cancel_undecided(self, placed: OrderPlaced, now: datetime) -> bool:
        """Records an order that nobody has decided as cancelled, so that its message finds it so.

        `placed` is the order as its message has it. Returns False, and changes nothing, when it has an
        answer. Whoever cancels gives the claim back. Raises Unavailable.
        """
        return self._again_when_lost(lambda connection: self._record_as_cancelled(connection, placed, now))

    def expire_due(self, now: datetime, limit: int) -> dict[int, int]:
        """Expires at most `limit` reserved orders whose hold has ended by `now`, the longest due first.

        One transaction of at most five statements. Leaves out orders that are being paid or cancelled at
        this moment, and what another worker has taken. Returns event id -> orders expired; empty when
        nothing was due. Raises Unavailable.
        """
        return self._again_when_lost(lambda connection: self._expire(connection, now, limit))

    def _record_as_cancelled(self, connection: psycopg.Connection, claim: OrderPlaced, now: datetime) -> bool:
        """Records an undecided order as cancelled; does nothing to one that was decided meanwhile: False."""
        record = self._queries.record_orders
        outcome = Outcome(claim.order_id, claim.event_id, OrderStatus.CANCELLED, None, claim, known=False)
        row = {**columns_of([outcome]), "decided_at": now}
        # it may be there already, or its key is another's: then it goes without, as in fulfilment
        for keys in ({}, {"keys": texts([None])}):
            if connection.execute(record, row | keys).rowcount:
                buyer = {"event_id": claim.event_id, "user_id": claim.user_id}
                connection.execute(self._queries.count_given_back, buyer)
                return True
        return False

    def _cancel_decided(
        self, connection: psycopg.Connection, order_id: str, now: datetime
    ) -> tuple[Order, bool]:
        row = connection.execute(self._queries.lock_order, {"id": order_id}).fetchone()
        if row is None:
            raise Rejected("order-not-found", f"There is no order {order_id}.")
        order = order_of_row(row)
        changed = judge_cancel(order)
        if changed is None:
            return order, False
        changes.make(connection, self._queries, changed, now)
        connection.execute(self._queries.refund_payments, {"id": order_id})
        return changes.order_after(order, changed), True

    def _expire(self, connection: psycopg.Connection, now: datetime, limit: int) -> dict[int, int]:
        rows = connection.execute(self._queries.expire_orders, {"now": now, "lim": limit}).fetchall()
        orders = [order_of_row(row) for row in rows]
        changes.move(connection, self._queries, [change(order, OrderStatus.EXPIRED) for order in orders])
        return dict(Counter(order.event_id for order in orders))
