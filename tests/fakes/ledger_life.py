"""The twin ledger's part in an order's life: cancelling, expiring, paying."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from msgspec.structs import replace

from chalicelib.errors import Rejected
from chalicelib.model import (
    LatePayment,
    Order,
    OrderPlaced,
    OrderStatus,
    Payment,
    PaymentNotice,
    PaymentState,
)
from chalicelib.rules import (
    Outcome,
    PaymentFacts,
    Room,
    Tally,
    change,
    judge_cancel,
    judge_payment,
)
from tests.fakes.books import Books


class MemoryLife(Books):
    """As `ledger.lifecycle` and `ledger.payments`, in memory."""

    def cancel(self, order_id: str, claim: OrderPlaced | None, now: datetime) -> tuple[Order, bool]:
        """Cancels an order, decided or not; tells whether that is news."""
        with self._lock:
            order = self._orders.get(order_id)
            if claim is not None and self.cancel_undecided(claim, now):
                return self._orders[order_id], True
            if order is None:
                raise Rejected("order-not-found", f"There is no order {order_id}.")
            changed = judge_cancel(order)
            if changed is not None:
                self._make([changed], now)
                self._refund(order_id)
            return self._orders[order_id], changed is not None

    def cancel_undecided(self, placed: OrderPlaced, now: datetime) -> bool:
        """Records an order that has no answer as cancelled."""
        with self._lock:
            if placed.order_id in self._orders:
                return False
            cancelled = OrderStatus.CANCELLED
            outcome = Outcome(placed.order_id, placed.event_id, cancelled, None, placed, known=False)
            self._record(outcome, now)
            self._count_given_back((placed.event_id, placed.user_id))
            return True

    def expire_due(self, now: datetime, limit: int) -> dict[int, int]:
        """Expires reserved orders whose hold has ended, the longest due first."""
        with self._lock:
            due = [(order.expires_at, order) for order in self._orders.values() if _is_due(order, now)]
            expired = [order for _, order in sorted(due, key=lambda pair: str(pair[0]))][:limit]
            self._make([change(order, OrderStatus.EXPIRED) for order in expired], now)
            return dict(Counter(order.event_id for order in expired))

    def pay(self, notice: PaymentNotice, now: datetime) -> Payment:
        """Records a notice and what becomes of it; one that is recorded already is returned as it is."""
        with self._lock:
            if notice.reference not in self._payments:
                judgement = judge_payment(notice, self._facts(notice), now)
                if judgement.change is not None:
                    self._make([judgement.change], now)
                fields = {name: getattr(notice, name) for name in notice.__struct_fields__}
                self._payments[notice.reference] = Payment(**fields, state=judgement.state, received_at=now)
            return self._payments[notice.reference]

    def payments(self, state: PaymentState | None, after: str | None, limit: int) -> list[Payment]:
        """Lists payments, the last received first."""
        with self._lock:
            last = None if after is None else self._payments.get(after)
            if after is not None and last is None:
                return []
            listed = sorted(self._payments.values(), key=_place, reverse=True)
            return [
                payment
                for payment in listed
                if state in (None, payment.state) and (last is None or _place(payment) < _place(last))
            ][:limit]

    def _facts(self, notice: PaymentNotice) -> PaymentFacts:
        order = self._orders.get(notice.order_id)
        event = None if order is None else self._events.get(order.event_id)
        if order is None or event is None:
            return PaymentFacts(order=order, late_payment=LatePayment.REFUND)
        limit, has = event.max_per_buyer, self._tallies.get((event.id, order.user_id), Tally(0, 0))
        return PaymentFacts(
            order=order,
            late_payment=event.late_payment,
            already_paid=any(_is_applied(payment, order.id) for payment in self._payments.values()),
            room=Room(
                {kind.id: kind.unsold for kind in event.ticket_types},
                None if limit is None else limit - has.quantity,
            ),
        )

    def _count_given_back(self, buyer: tuple[int, str]) -> None:
        has = self._tallies.get(buyer, Tally(0, 0))
        self._tallies[buyer] = Tally(has.quantity, has.version + 1, has.given_back + 1)

    def _refund(self, order_id: str) -> None:
        for reference, payment in self._payments.items():
            if _is_applied(payment, order_id):
                self._payments[reference] = replace(payment, state=PaymentState.REFUND_DUE)


def _is_due(order: Order, now: datetime) -> bool:
    return order.status is OrderStatus.RESERVED and order.expires_at is not None and order.expires_at <= now


def _is_applied(payment: Payment, order_id: str) -> bool:
    return payment.order_id == order_id and payment.state is PaymentState.APPLIED


def _place(payment: Payment) -> tuple[datetime, str]:
    return payment.received_at, payment.reference
