"""Books that must balance, and the words for paying and deciding, for tests of an order's life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.model import (
    Event,
    Order,
    OrderPlaced,
    OrderQuery,
    OrderStatus,
    Payment,
    PaymentNotice,
    PaymentOutcome,
    PaymentState,
)
from chalicelib.rules import Decision, decide

_turn = count()

_GIVEN_BACK = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
EVERYTHING = OrderQuery(limit=100_000)


def applied(ledger: Any, *batch: OrderPlaced, now: datetime) -> Decision:
    """Decides and records a batch, again after each lost race."""
    for turn in range(20):
        try:
            with ledger.attempt() as attempt:
                decision = decide(batch, attempt.snapshot(batch, hold=turn > 0), now)
                attempt.record(decision)
        except Conflict:
            continue
        return decision
    raise AssertionError("lost every race")


def a_notice(order: OrderPlaced | Order, **other: Any) -> PaymentNotice:
    """A payment that succeeded, of the right amount, under a reference of its own."""
    right: dict[str, Any] = {
        "reference": f"payment {next(_turn)}",
        "order_id": order.order_id if isinstance(order, OrderPlaced) else order.id,
        "amount": order.total_price,
        "currency": order.currency,
        "outcome": PaymentOutcome.SUCCEEDED,
    }
    return PaymentNotice(**(right | other))


def status_of(ledger: Any, order: OrderPlaced) -> OrderStatus:
    """The order's status; it must be decided."""
    found = ledger.order(order.order_id)
    assert found is not None, "lost"
    status: OrderStatus = found.status
    return status


def balance(ledger: Any, event: Event) -> None:
    """Raises AssertionError unless counters, orders, tallies and payments of the event say the same."""
    orders: list[Order] = [order for order in ledger.orders(EVERYTHING) if order.event_id == event.id]
    sold = _tickets(orders, OrderStatus.CONFIRMED)
    reserved = _tickets(orders, OrderStatus.RESERVED)
    for kind in ledger.event(event.id).ticket_types:
        assert kind.unsold >= 0, "oversold"
        assert (kind.sold, kind.reserved) == (sold[kind.id], reserved[kind.id]), (
            "the counters and the orders disagree"
        )
    _tallies_agree(ledger, event, orders)
    _payments_agree(ledger.payments(None, None, 100_000), orders, event)


def _tickets(orders: Iterable[Order], status: OrderStatus) -> Counter[int]:
    counted: Counter[int] = Counter()
    for item in (item for order in orders if order.status is status for item in order.items):
        counted[item.ticket_type_id] += item.quantity
    return counted


def _tallies_agree(ledger: Any, event: Event, orders: list[Order]) -> None:
    has: Counter[str] = Counter()
    for order in orders:
        if order.status in (OrderStatus.CONFIRMED, OrderStatus.RESERVED):
            has[order.user_id] += sum(item.quantity for item in order.items)
    asked = [_asking(event, order) for order in orders]
    with ledger.attempt() as attempt:
        tallies = attempt.snapshot(asked).tallies
    told = {user: tally.quantity for (_, user), tally in tallies.items() if tally.quantity}
    assert told == has, "the tallies and the orders disagree"
    limit = event.max_per_buyer
    assert limit is None or max(has.values(), default=0) <= limit, "a buyer over the cap"
    gave = Counter(order.user_id for order in orders if order.status in _GIVEN_BACK)
    counted = {user: tally.given_back for (_, user), tally in tallies.items() if tally.given_back}
    assert counted == gave, "the tallies and the orders given back disagree"


def _payments_agree(payments: list[Payment], orders: list[Order], event: Event) -> None:
    paid = Counter(payment.order_id for payment in payments if payment.state is PaymentState.APPLIED)
    for order in orders:
        must = event.hold_seconds > 0 and order.status is OrderStatus.CONFIRMED
        most = 1 if order.status is OrderStatus.CONFIRMED else 0
        assert must <= paid[order.id] <= most, f"{paid[order.id]} payments applied to a {order.status} order"


def _asking(event: Event, order: Order) -> OrderPlaced:
    return OrderPlaced(
        schema=1,
        order_id=order.id,
        event_id=event.id,
        user_id=order.user_id,
        currency=order.currency,
        items=order.items,
        accepted_at_ms=0,
    )
