"""The audit on invented facts: a clean rush passes, and each kind of fault fails the check it belongs to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.rush.audit import audit
from infra.rush.facts import (
    AvailabilitySeen,
    EventSeen,
    Facts,
    ItemSeen,
    LedgerSeen,
    OrderSeen,
    StockSeen,
    TicketTypeSeen,
)

TYPE_ID = 11


def an_order(number: int, status: str = "confirmed", quantity: int = 1) -> OrderSeen:
    items = (ItemSeen(TYPE_ID, quantity),)
    return OrderSeen(id=f"o{number}", user_id=f"u{number}", status=status, items=items)


def clean(capacity: int, buyers: int, quantity: int = 1) -> Facts:
    """A rush in which everything went as promised."""
    count = min(capacity // quantity, buyers)
    left = capacity - count * quantity
    orders = tuple(an_order(number, quantity=quantity) for number in range(count))
    return Facts(
        capacity=capacity,
        buyers=buyers,
        quantity=quantity,
        accepted=tuple(order.id for order in orders),
        refused={"sold-out": buyers - count} if buyers > count else {},
        uncertain=0,
        unknown=0,
        sighted={order.id: order.status for order in orders[:2]},
        listed=orders,
        availability=AvailabilitySeen(sold_out=left == 0, ticket_types=(StockSeen(TYPE_ID, left),)),
        event=EventSeen(7, capacity, left),
        ledger=LedgerSeen((TicketTypeSeen(TYPE_ID, capacity, count * quantity),), orders),
    )


def but(facts: Facts, **changes: Any) -> Facts:
    return msgspec.structs.replace(facts, **changes)


def broken(facts: Facts) -> list[str]:
    return [check.promise for check in audit(facts).checks if not check.passed]


def with_orders(facts: Facts, orders: tuple[OrderSeen, ...]) -> Facts:
    """The same orders at the service and in the ledger, whose counters stay as they are."""
    assert facts.ledger is not None
    return but(facts, listed=orders, ledger=LedgerSeen(facts.ledger.ticket_types, orders))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4))
def test_a_clean_rush_passes(capacity: int, buyers: int, quantity: int) -> None:
    facts = clean(max(capacity, quantity), buyers, quantity)
    assert broken(facts) == []
    assert audit(facts).passed


def test_without_a_ledger_the_rest_is_judged_and_a_note_says_so() -> None:
    verdict = audit(but(clean(5, 9), ledger=None))
    assert verdict.passed
    assert "ledger was not asked" in verdict.notes[0]


def test_a_buyer_who_is_not_counted_is_noticed() -> None:
    assert "every buyer counted" in broken(but(clean(5, 9), buyers=10))


def test_a_sale_where_nobody_bought_is_noticed() -> None:
    facts = but(clean(5, 9), accepted=(), refused={"unavailable": 9}, uncertain=9)
    assert "the sale took place" in broken(facts)


@pytest.mark.parametrize("code", ["internal-error", "http-500"])
def test_an_internal_error_is_noticed(code: str) -> None:
    facts = but(clean(5, 9), refused={"sold-out": 3, code: 1}, uncertain=1)
    assert broken(facts) == ["nobody met an internal error"]


def test_a_fault_that_passes_is_no_broken_promise() -> None:
    assert broken(but(clean(5, 9), refused={"sold-out": 3, "unavailable": 1}, uncertain=1)) == []


def test_a_ticket_too_many_is_noticed() -> None:
    facts = clean(5, 9)
    orders = (*facts.listed, an_order(5))
    oversold = but(
        facts,
        accepted=tuple(order.id for order in orders),
        refused={"sold-out": 3},
        listed=orders,
        ledger=LedgerSeen((TicketTypeSeen(TYPE_ID, 5, 6),), orders),
    )
    assert "no ticket type is oversold in the ledger" in broken(oversold)
    assert "sold = confirmed = the smaller of capacity and demand" in broken(oversold)


def test_a_ticket_sold_twice_behind_a_correct_counter_is_noticed() -> None:
    facts = clean(5, 9)
    twice = with_orders(facts, (*facts.listed, an_order(5)))
    assert "no ticket twice: each type's orders add up to what it sold" in broken(twice)


def test_a_lost_order_is_noticed_on_both_sides() -> None:
    facts = clean(5, 9)
    lost = broken(with_orders(facts, facts.listed[1:]))
    assert "every accepted order has exactly one answer at the service" in lost
    assert "every accepted order has exactly one answer in the ledger" in lost


def test_an_order_without_an_answer_is_noticed() -> None:
    facts = clean(5, 9)
    waiting = but(facts, listed=(an_order(0, "pending"), *facts.listed[1:]))
    assert "every accepted order has exactly one answer at the service" in broken(waiting)
    assert "no order twice, undecided or unasked at the service" in broken(waiting)


def test_an_order_answered_twice_is_noticed() -> None:
    facts = clean(5, 9)
    twice = but(facts, listed=(*facts.listed, an_order(0, "rejected")))
    assert "every accepted order has exactly one answer at the service" in broken(twice)


def test_an_order_that_nobody_placed_is_noticed_unless_a_buyer_was_not_heard() -> None:
    facts = clean(5, 9)
    unasked = but(facts, accepted=facts.accepted[1:], refused={"sold-out": 5}, sighted={})
    assert "no order twice, undecided or unasked in the ledger" in broken(unasked)
    assert broken(but(unasked, refused={"sold-out": 4}, unknown=1)) == []
    assert broken(but(unasked, refused={"sold-out": 4, "unavailable": 1}, uncertain=1)) == []


def test_a_buyer_with_two_orders_is_noticed() -> None:
    facts = clean(5, 9)
    again = msgspec.structs.replace(facts.listed[1], user_id="u0")
    orders = (facts.listed[0], again, *facts.listed[2:])
    assert "no order twice, undecided or unasked at the service" in broken(with_orders(facts, orders))


def test_an_id_given_to_two_buyers_is_noticed() -> None:
    facts = clean(5, 9)
    assert "no order id was given to two buyers" in broken(but(facts, accepted=("o0", *facts.accepted[:4])))


def test_an_answer_that_changed_is_noticed() -> None:
    facts = clean(5, 9)
    changed = broken(but(facts, sighted={"o0": "rejected"}))
    assert changed == ["no answer changed after a buyer saw it (1 looked)"]


def test_a_sold_out_with_tickets_left_is_noticed() -> None:
    facts = but(clean(10, 5), accepted=("o0", "o1", "o2"), refused={"sold-out": 2}, sighted={})
    orders = facts.listed[:3]
    false = but(
        facts,
        listed=orders,
        availability=AvailabilitySeen(sold_out=False, ticket_types=(StockSeen(TYPE_ID, 7),)),
        event=EventSeen(7, 10, 7),
        ledger=LedgerSeen((TicketTypeSeen(TYPE_ID, 10, 3),), orders),
    )
    assert broken(false) == [
        "sold = confirmed = the smaller of capacity and demand",
        "nobody heard sold out while tickets were left",
    ]


def test_a_remainder_too_small_for_an_order_is_not_a_ticket_left() -> None:
    facts = clean(11, 9, quantity=2)
    assert broken(but(facts, refused={"not-enough-tickets": 4})) == []


def test_a_ticket_that_an_unheard_order_gave_back_may_be_left() -> None:
    facts = clean(4, 4)
    given_back = but(
        facts,
        capacity=5,
        buyers=9,
        refused={"sold-out": 4},
        unknown=1,
        availability=AvailabilitySeen(sold_out=False, ticket_types=(StockSeen(TYPE_ID, 1),)),
        event=EventSeen(7, 5, 1),
        ledger=LedgerSeen((TicketTypeSeen(TYPE_ID, 5, 4),), facts.listed),
    )
    assert broken(given_back) == []
    assert "nobody heard sold out while tickets were left" in broken(
        but(given_back, unknown=0, refused={"sold-out": 5})
    )


def test_a_refusal_that_has_nothing_to_do_with_tickets_is_no_excuse_for_selling_less() -> None:
    facts = clean(4, 4)
    refused = but(facts, capacity=5, buyers=9, refused={"invalid-request": 5})
    assert "sold = confirmed = the smaller of capacity and demand" in broken(refused)


@pytest.mark.parametrize(
    "availability",
    [
        AvailabilitySeen(sold_out=True, ticket_types=(StockSeen(TYPE_ID, 1),)),
        AvailabilitySeen(sold_out=False, ticket_types=(StockSeen(TYPE_ID, 0),)),
    ],
)
def test_a_gate_that_miscounts_or_does_not_say_sold_out_is_noticed(availability: AvailabilitySeen) -> None:
    wrong = broken(but(clean(5, 9), availability=availability))
    assert wrong == ["the gate has what is unsold and says sold out when that is none"]


def test_an_event_that_shows_tickets_that_are_gone_is_noticed() -> None:
    assert broken(but(clean(5, 9), event=EventSeen(7, 5, 1))) == ["the event shows the tickets that are left"]


def test_a_service_that_says_other_than_the_ledger_is_noticed() -> None:
    facts = clean(5, 9)
    wrong = broken(but(facts, listed=(an_order(0, "rejected"), *facts.listed[1:]), sighted={}))
    assert "the service says of each order what the ledger has" in wrong
