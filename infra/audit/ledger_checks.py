"""Whether the ledger's own books add up: counters, caps, holds and money. Pure; it asks nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from infra.audit.evidence import LedgerHeld, OrderHeld, PaymentHeld
from infra.rush.verdict import Check, without_exception

HOLD_GRACE = timedelta(seconds=75)
"""A hold that is over may stand so long: the function that ends holds runs every minute on AWS."""
_HOLDING = {"confirmed": "sold", "reserved": "reserved"}
_GIVEN_BACK = {"cancelled", "expired"}


def ledger_checks(ledger: LedgerHeld) -> list[Check]:
    """Every check that needs nothing but the ledger."""
    return [
        _never_oversold(ledger),
        _orders_add_up(ledger),
        _tallies_add_up(ledger),
        _given_back_adds_up(ledger),
        _no_buyer_over_the_cap(ledger),
        _no_key_twice(ledger),
        _no_hold_outlived(ledger),
        _money_has_its_order(ledger),
        _cancelled_money_is_due_back(ledger),
        _held_orders_were_paid(ledger),
        _no_money_overlooked(ledger),
    ]


def _never_oversold(ledger: LedgerHeld) -> Check:
    wrong = [f"type {kind.id}" for kind in ledger.types if min(kind.sold, kind.reserved, kind.unsold) < 0]
    return without_exception("no ticket type is oversold", wrong)


def _orders_add_up(ledger: LedgerHeld) -> Check:
    """By type and counter: confirmed orders are what is sold, reserved ones what is reserved."""
    given: Counter[tuple[int, str]] = Counter()
    for order in ledger.orders:
        if order.status in _HOLDING:
            for item in order.items:
                given[item.ticket_type_id, _HOLDING[order.status]] += item.quantity
    counted = Counter({(kind.id, "sold"): kind.sold for kind in ledger.types})
    counted.update({(kind.id, "reserved"): kind.reserved for kind in ledger.types})
    wrong = [
        f"type {key[0]}: orders say {given[key]} {key[1]}, the counter {counted[key]}"
        for key in sorted({*given, *counted})
        if given[key] != counted[key]
    ]
    return without_exception("orders add up to what their ticket types have sold and reserved", wrong)


def _tickets_by_buyer(orders: Iterable[OrderHeld]) -> Counter[str]:
    tickets: Counter[str] = Counter()
    for order in orders:
        if order.status in _HOLDING:
            tickets[order.user_id] += order.quantity
    return tickets


def _tallies_add_up(ledger: LedgerHeld) -> Check:
    """Buyers are counted and not named: an audit's output is kept."""
    has = _tickets_by_buyer(ledger.orders)
    wrong = [user for user in {*has, *ledger.tallies} if has[user] != ledger.tallies.get(user, 0)]
    detail = f"{len(wrong)} of {len({*has, *ledger.tallies})} buyers differ"
    return Check("each buyer's orders add up to the buyer's tally", not wrong, detail)


def _given_back_adds_up(ledger: LedgerHeld) -> Check:
    """What limits a buyer's cancellations: every order that was cancelled, or left to expire, counts once."""
    orders = Counter(order.user_id for order in ledger.orders if order.status in _GIVEN_BACK)
    wrong = [user for user in {*orders, *ledger.given_back} if orders[user] != ledger.given_back.get(user, 0)]
    detail = f"{len(wrong)} of {len({*orders, *ledger.given_back})} buyers differ"
    return Check("each buyer's orders given back add up to the buyer's tally", not wrong, detail)


def _no_buyer_over_the_cap(ledger: LedgerHeld) -> Check:
    """By the cap as it is now: one that was lowered after the sale shows here as well."""
    promise = "no buyer has more tickets than the event allows"
    if ledger.max_per_buyer is None:
        return Check(promise, passed=True, detail="no cap")
    over = sum(tickets > ledger.max_per_buyer for tickets in _tickets_by_buyer(ledger.orders).values())
    return Check(promise, not over, f"{over} over {ledger.max_per_buyer}")


def _no_key_twice(ledger: LedgerHeld) -> Check:
    keys = Counter((order.user_id, order.idempotency_key) for order in ledger.orders if order.idempotency_key)
    wrong = [
        order.id
        for order in ledger.orders
        if order.idempotency_key and keys[order.user_id, order.idempotency_key] > 1
    ]
    return without_exception("no idempotency key made two orders", wrong)


def _no_hold_outlived(ledger: LedgerHeld) -> Check:
    latest = ledger.now - HOLD_GRACE
    wrong = [
        order.id
        for order in ledger.orders
        if order.status == "reserved" and (order.expires_at is None or order.expires_at < latest)
    ]
    return without_exception("no order is held after its time to pay", wrong)


def _money_has_its_order(ledger: LedgerHeld) -> Check:
    """A payment that was applied is the only one of a confirmed order, and is exactly its price."""
    orders = {order.id: order for order in ledger.orders}
    applied = Counter(payment.order_id for payment in _applied(ledger))
    wrong = [
        payment.reference
        for payment in _applied(ledger)
        if applied[payment.order_id] > 1 or not _pays(payment, orders.get(payment.order_id))
    ]
    return without_exception("each applied payment is the price of one confirmed order", wrong)


def _pays(payment: PaymentHeld, order: OrderHeld | None) -> bool:
    if order is None or payment.outcome != "succeeded":
        return False
    if order.status == "cancelled":
        return True  # the next check names it
    price = (order.total_price, order.currency)
    return order.status == "confirmed" and (payment.amount, payment.currency) == price


def _cancelled_money_is_due_back(ledger: LedgerHeld) -> Check:
    cancelled = {order.id for order in ledger.orders if order.status == "cancelled"}
    wrong = [payment.reference for payment in _applied(ledger) if payment.order_id in cancelled]
    return without_exception("what was paid for a cancelled order is listed as due back", wrong)


def _held_orders_were_paid(ledger: LedgerHeld) -> Check:
    promise = "no order of an event with a hold is confirmed without its payment"
    if not ledger.hold_seconds:
        return Check(promise, passed=True, detail="no hold")
    paid = {payment.order_id for payment in _applied(ledger)}
    wrong = [order.id for order in ledger.orders if order.status == "confirmed" and order.id not in paid]
    return without_exception(promise, wrong)


def _no_money_overlooked(ledger: LedgerHeld) -> Check:
    """The payments here are those of known orders: none of them can be without one."""
    wrong = [payment.reference for payment in ledger.payments if payment.state == "unmatched"]
    return without_exception("no payment is listed as unmatched whose order is known", wrong)


def _applied(ledger: LedgerHeld) -> list[PaymentHeld]:
    return [payment for payment in ledger.payments if payment.state == "applied"]
