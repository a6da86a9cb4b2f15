"""The audit's checks of orders: answered once, asked for, the same on both sides, never sold twice.

Pure, and each a promise of its own; it must not know which of them a rush is judged by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from infra.rush.facts import Facts, LedgerSeen, OrderSeen
from infra.rush.verdict import Check, without_exception


def no_id_given_twice(facts: Facts) -> Check:
    """Every 202 named an order of its own."""
    return without_exception("no order id was given to two buyers", _repeated(facts.accepted))


def one_final_answer_each(where: str, facts: Facts, orders: tuple[OrderSeen, ...]) -> Check:
    """Every 202 has one final answer among `orders`: the service's list or the ledger's rows."""
    answers = Counter(order.id for order in orders if order.decided)
    wrong = [order_id for order_id in facts.accepted if answers[order_id] != 1]
    return without_exception(f"every accepted order has exactly one answer {where}", wrong)


def nothing_unasked(where: str, facts: Facts, orders: tuple[OrderSeen, ...]) -> Check:
    """An order that no buyer knows of is only excused by a buyer who was not heard."""
    acknowledged, ids = set(facts.accepted), [order.id for order in orders]
    extra = [order_id for order_id in ids if order_id not in acknowledged]
    undecided = [order.id for order in orders if not order.decided]
    twice = _repeated(ids) + _repeated(order.user_id for order in orders)
    excused = facts.unknown + facts.uncertain
    unasked = f"{len(extra)} unacknowledged, {excused} buyers unheard"
    return Check(
        f"no order twice, undecided or unasked {where}",
        len(extra) <= excused and not undecided and not twice,
        f"{unasked}, {len(undecided)} undecided, {len(twice)} twice",
    )


def no_answer_changed(facts: Facts) -> Check:
    """What a buyer was told as final still stands."""
    now = {order.id: order.status for order in facts.listed}
    changed = [order_id for order_id, told in facts.sighted.items() if now.get(order_id) != told]
    return without_exception(f"no answer changed after a buyer saw it ({len(facts.sighted)} looked)", changed)


def never_oversold(facts: Facts, ledger: LedgerSeen) -> Check:
    """0 <= sold <= capacity for every ticket type, and no type is missing."""
    wrong = [f"{seen.id}" for seen in ledger.ticket_types if not 0 <= seen.sold <= seen.capacity]
    capacity = sum(seen.capacity for seen in ledger.ticket_types)
    figures = ", ".join(f"{seen.sold} of {seen.capacity}" for seen in ledger.ticket_types)
    promise = "no ticket type is oversold in the ledger"
    return Check(promise, not wrong and capacity == facts.capacity, f"{figures or 'no ticket type'} sold")


def no_ticket_twice(ledger: LedgerSeen) -> Check:
    """Orders, type by type, add up to the counter that sold them."""
    given: Counter[int] = Counter()
    for item in (item for order in ledger.orders if order.sold for item in order.items):
        given[item.ticket_type_id] += item.quantity
    counted = {seen.id: seen.sold for seen in ledger.ticket_types}
    wrong = [f"{key}" for key in {*given, *counted} if given[key] != counted.get(key, 0)]
    return without_exception("no ticket twice: each type's orders add up to what it sold", wrong)


def service_says_what_the_ledger_has(facts: Facts, ledger: LedgerSeen) -> Check:
    """Status, tickets and buyer of each order are the same on both sides."""
    shown = {order.id: (order.status, order.quantity, order.user_id) for order in facts.listed}
    kept = {order.id: (order.status, order.quantity, order.user_id) for order in ledger.orders}
    wrong = [order_id for order_id in {*shown, *kept} if shown.get(order_id) != kept.get(order_id)]
    return without_exception("the service says of each order what the ledger has", wrong)


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
