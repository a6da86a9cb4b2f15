"""Payments: each reference is recorded once, judged once, and takes effect in the same transaction.

What a payment does is decided in `rules`; this module brings the facts, with the rows locked that they
are read from, and writes the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg

from chalicelib.ledger import changes
from chalicelib.ledger.arrays import plain
from chalicelib.ledger.rows import order_of_row, payment_of_row
from chalicelib.ledger.store import Store
from chalicelib.model import LatePayment, Order, Payment, PaymentNotice, PaymentState
from chalicelib.order_ids import is_uuid
from chalicelib.rules import PaymentFacts, Room, is_late, judge_payment, wanted_by_type


class Payments(Store):
    """Money that came in, and what it did."""

    def pay(self, notice: PaymentNotice, now: datetime) -> Payment:
        """Records a provider's notice with what becomes of it, and confirms the order if that is it.

        A reference that is recorded already is returned as it is, whatever the notice says now. `now` is
        the time of receipt. An order that nobody has decided yet is not known here: whoever calls looks
        for its claim first. Raises Unavailable; when that is ambiguous, the same notice again is safe.
        """
        return self._again_when_lost(lambda connection: self._pay(connection, notice, now))

    def payments(self, state: PaymentState | None, after: str | None, limit: int) -> list[Payment]:
        """Lists at most `limit` payments, the last received first, from the one after reference `after` on.

        `state` None is any. An unknown `after` ends the list.
        """
        arguments = _selection(state=None if state is None else state.value, after=after, lim=limit)
        return [payment_of_row(row) for row in self._rows(self._queries.read_payments, arguments)]

    def _pay(self, connection: psycopg.Connection, notice: PaymentNotice, now: datetime) -> Payment:
        if not connection.execute(self._queries.record_payment, _columns(notice, now)).rowcount:
            return self._recorded(connection, notice.reference)
        judgement = judge_payment(notice, self._facts(connection, notice, now), now)
        state = {"reference": notice.reference, "state": judgement.state.value}
        connection.execute(self._queries.judge_payment, state)
        if judgement.change is not None:
            changes.make(connection, self._queries, judgement.change, now)
        return self._recorded(connection, notice.reference)

    def _recorded(self, connection: psycopg.Connection, reference: str) -> Payment:
        arguments = _selection(reference=reference, lim=1)
        (row,) = connection.execute(self._queries.read_payments, arguments).fetchall()
        return payment_of_row(row)

    def _facts(self, connection: psycopg.Connection, notice: PaymentNotice, now: datetime) -> PaymentFacts:
        """Reads what the judgement needs, and keeps it from changing until the transaction ends."""
        if not is_uuid(notice.order_id):
            return PaymentFacts(order=None)
        order_id = {"id": notice.order_id}
        row = connection.execute(self._queries.lock_order, order_id).fetchone()
        if row is None:
            return PaymentFacts(order=None)
        (paid,) = connection.execute(self._queries.is_paid, order_id).fetchone() or (False,)
        order, (late_payment, limit) = order_of_row(row), row[-2:]
        return PaymentFacts(
            order=order,
            late_payment=LatePayment(late_payment or LatePayment.REFUND),
            already_paid=paid,
            room=self._room(connection, order, limit) if is_late(order, now) else Room({}, None),
        )

    def _room(self, connection: psycopg.Connection, order: Order, limit: int | None) -> Room:
        type_ids = {"type_ids": plain(wanted_by_type(order.items))}
        unsold = connection.execute(self._queries.hold_stock, type_ids).fetchall()
        buyer = {"event_id": order.event_id, "user_id": order.user_id}
        (has,) = connection.execute(self._queries.hold_tally, buyer).fetchone() or (0,)
        return Room(dict(unsold), None if limit is None else limit - has)


def _columns(notice: PaymentNotice, now: datetime) -> dict[str, Any]:
    return {
        "reference": notice.reference,
        "order_id": notice.order_id,
        "amount": notice.amount,
        "currency": notice.currency,
        "outcome": notice.outcome.value,
        "received_at": now,
    }


def _selection(**given: object) -> Mapping[str, object]:
    return {"reference": None, "state": None, "after": None, **given}
