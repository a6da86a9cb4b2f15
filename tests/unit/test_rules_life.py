"""What an order may become and what a payment does: promises that hold for every order and every notice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.errors import Rejected
from chalicelib.model import (
    Item,
    LatePayment,
    Order,
    OrderStatus,
    PaymentNotice,
    PaymentOutcome,
    PaymentState,
)
from chalicelib.rules import (
    Judgement,
    PaymentFacts,
    Room,
    change,
    is_late,
    judge_cancel,
    judge_payment,
    sum_of,
)
from tests.support.events import NOON

DECIDED = [status for status in OrderStatus if status is not OrderStatus.PENDING]
ENDS = NOON + timedelta(seconds=60)
COUNTED = (OrderStatus.CONFIRMED, OrderStatus.RESERVED)


def an_order(status: OrderStatus = OrderStatus.RESERVED, *lines: tuple[int, int], user: str = "ann") -> Order:
    items = tuple(Item(type_id, quantity, 500) for type_id, quantity in lines or ((11, 2),))
    return Order(
        id="order 1",
        event_id=1,
        user_id=user,
        items=items,
        status=status,
        total_price=sum(item.quantity * item.unit_price for item in items),
        currency="EUR",
        accepted_at=NOON,
        decided_at=NOON,
        expires_at=ENDS if status in (OrderStatus.RESERVED, OrderStatus.EXPIRED) else None,
    )


def a_notice(order: Order, **other: object) -> PaymentNotice:
    right: dict[str, object] = {
        "reference": "payment 1",
        "order_id": order.id,
        "amount": order.total_price,
        "currency": order.currency,
        "outcome": PaymentOutcome.SUCCEEDED,
    }
    return PaymentNotice(**(right | other))  # type: ignore[arg-type]


lines = st.lists(st.tuples(st.sampled_from((11, 12)), st.integers(1, 4)), min_size=1, max_size=3)
orders = st.builds(
    lambda status, lines, user: an_order(status, *lines, user=user),
    st.sampled_from(DECIDED),
    lines,
    st.sampled_from(("ann", "bob")),
)
rooms = st.builds(
    Room,
    st.dictionaries(st.sampled_from((11, 12)), st.integers(0, 9)),
    st.none() | st.integers(-2, 9),
)
facts = st.builds(
    lambda order, late_payment, already_paid, room: PaymentFacts(
        order=order, late_payment=late_payment, already_paid=already_paid, room=room
    ),
    st.none() | orders,
    st.sampled_from(LatePayment),
    st.booleans(),
    rooms,
)
notices = st.builds(
    lambda amount, currency, outcome: PaymentNotice(
        reference="r", order_id="order 1", amount=amount, currency=currency, outcome=outcome
    ),
    st.sampled_from((500, 1_000, 1_500, 2_000, -500, 0)),
    st.sampled_from(("EUR", "USD")),
    st.sampled_from(PaymentOutcome),
)
moments = st.sampled_from((NOON, ENDS - timedelta(microseconds=1), ENDS, ENDS + timedelta(days=1)))


def is_right(notice: PaymentNotice, order: Order | None) -> bool:
    whole = order is not None and (notice.amount, notice.currency) == (order.total_price, order.currency)
    return whole and notice.outcome is PaymentOutcome.SUCCEEDED


@given(notices, facts, moments)
def test_money_is_applied_only_when_it_is_the_whole_price_and_ends_in_a_confirmed_order(
    notice: PaymentNotice, facts: PaymentFacts, now: datetime
) -> None:
    judged = judge_payment(notice, facts, now)
    if judged.state is PaymentState.APPLIED:
        assert is_right(notice, facts.order)
        assert facts.order is not None
        after = facts.order.status if judged.change is None else judged.change.after
        assert after is OrderStatus.CONFIRMED
    else:
        assert judged.change is None


@given(notices, facts, moments)
def test_the_whole_price_is_applied_or_listed_for_somebody_to_see_to(
    notice: PaymentNotice, facts: PaymentFacts, now: datetime
) -> None:
    state = judge_payment(notice, facts, now).state
    settled = {PaymentState.APPLIED, PaymentState.REFUND_DUE, PaymentState.PARKED}
    assert (state in settled) == is_right(notice, facts.order)
    if notice.outcome is PaymentOutcome.SUCCEEDED:
        assert (state is PaymentState.UNMATCHED) == (facts.order is None)
    else:
        assert state is PaymentState.FAILED


@given(notices, facts, moments)
def test_no_order_is_paid_twice(notice: PaymentNotice, facts: PaymentFacts, now: datetime) -> None:
    if facts.order is not None and facts.order.status is OrderStatus.CONFIRMED and facts.already_paid:
        assert judge_payment(notice, facts, now).state is not PaymentState.APPLIED


@given(notices, facts, moments)
def test_late_money_takes_no_more_than_there_is_room_for(
    notice: PaymentNotice, facts: PaymentFacts, now: datetime
) -> None:
    judged = judge_payment(notice, facts, now)
    if judged.change is not None and judged.change.before is OrderStatus.EXPIRED:
        assert facts.late_payment is LatePayment.ACCEPT_IF_AVAILABLE
        assert all(move.sold <= facts.room.unsold[move.ticket_type_id] for move in judged.change.stock)
        allowance = facts.room.allowance
        assert allowance is None or judged.change.tallies[0].quantity <= allowance


@given(orders, st.sampled_from(OrderStatus))
def test_a_change_moves_exactly_what_the_two_statuses_count(order: Order, after: OrderStatus) -> None:
    try:
        changed = change(order, after)
    except ValueError:
        return
    tickets = sum(item.quantity for item in order.items)
    had, has = order.status in COUNTED, after in COUNTED
    assert sum(move.sold + move.reserved for move in changed.stock) == tickets * (has - had)
    assert sum(move.sold for move in changed.stock) == tickets * (
        (after is OrderStatus.CONFIRMED) - (order.status is OrderStatus.CONFIRMED)
    )
    assert sum(tally.quantity for tally in changed.tallies) == tickets * (has - had)
    assert all(tally.quantity for tally in changed.tallies)


@given(st.lists(orders, max_size=6))
def test_changes_add_up_to_one_move_a_type_and_one_a_buyer(orders: list[Order]) -> None:
    changes = [change(order, OrderStatus.CANCELLED) for order in orders if order.status in COUNTED]
    stock, tallies = sum_of(changes)
    types, buyers = [move.ticket_type_id for move in stock], [tally.user_id for tally in tallies]
    assert (len(set(types)), len(set(buyers))) == (len(types), len(buyers))
    for name in ("sold", "reserved"):
        single = sum(getattr(move, name) for each in changes for move in each.stock)
        assert sum(getattr(move, name) for move in stock) == single
    assert sum(tally.quantity for tally in tallies) == -sum(
        item.quantity for order in orders if order.status in COUNTED for item in order.items
    )


@given(orders)
def test_what_has_tickets_can_be_cancelled_and_what_is_cancelled_stays_so(order: Order) -> None:
    if order.status is OrderStatus.CANCELLED:
        assert judge_cancel(order) is None
    elif order.status in COUNTED:
        changed = judge_cancel(order)
        assert changed is not None
        assert (changed.before, changed.after) == (order.status, OrderStatus.CANCELLED)
    else:
        with pytest.raises(Rejected, match=order.status.value):
            judge_cancel(order)


WAYS = {
    ("reserved", "confirmed"),
    ("reserved", "expired"),
    ("reserved", "cancelled"),
    ("confirmed", "cancelled"),
    ("expired", "confirmed"),
}


@pytest.mark.parametrize("before", DECIDED)
@pytest.mark.parametrize("after", OrderStatus)
def test_no_order_goes_a_way_that_is_not_one(before: OrderStatus, after: OrderStatus) -> None:
    if (before.value, after.value) in WAYS:
        assert change(an_order(before), after).after is after
    else:
        with pytest.raises(ValueError, match="no order goes"):
            change(an_order(before), after)


def test_a_hold_ends_at_its_last_moment_and_not_before() -> None:
    assert not is_late(an_order(), ENDS - timedelta(microseconds=1))
    assert is_late(an_order(), ENDS)
    assert is_late(an_order(OrderStatus.EXPIRED), NOON)
    assert not is_late(an_order(OrderStatus.CONFIRMED), ENDS)


def judged(order: Order, late_payment: LatePayment, now: datetime = ENDS, **room: int) -> Judgement:
    unsold = {int(name.removeprefix("t")): left for name, left in room.items()}
    given = PaymentFacts(order=order, late_payment=late_payment, room=Room(unsold, None))
    return judge_payment(a_notice(order), given, now)


def test_an_order_that_expires_in_this_moment_still_has_its_tickets() -> None:
    order = an_order()
    accepted = judged(order, LatePayment.ACCEPT_IF_AVAILABLE)
    assert accepted == Judgement(PaymentState.APPLIED, change(order, OrderStatus.CONFIRMED))
    assert judged(order, LatePayment.REFUND) == Judgement(PaymentState.REFUND_DUE)
    assert judged(order, LatePayment.PARK) == Judgement(PaymentState.PARKED)


def test_an_expired_order_must_find_tickets_of_every_type() -> None:
    order = an_order(OrderStatus.EXPIRED, (11, 2), (12, 1), (11, 1))
    choice = LatePayment.ACCEPT_IF_AVAILABLE
    assert judged(order, choice, t11=3, t12=1).state is PaymentState.APPLIED
    assert judged(order, choice, t11=2, t12=1).state is PaymentState.REFUND_DUE
    assert judged(order, choice, t11=9).state is PaymentState.REFUND_DUE


def test_a_wrong_amount_is_refused_whatever_the_order_is() -> None:
    for status in DECIDED:
        order = an_order(status)
        for wrong in (replace(a_notice(order), amount=999), replace(a_notice(order), currency="eur")):
            assert judge_payment(wrong, PaymentFacts(order=order), NOON).state is PaymentState.REFUSED
