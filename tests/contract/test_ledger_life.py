"""What every ledger must do with an order after it was accepted: the in-memory twin and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.errors import Conflict, Rejected
from chalicelib.ledger.ledger import Ledger
from chalicelib.model import (
    Event,
    LatePayment,
    Order,
    OrderPlaced,
    OrderStatus,
    Payment,
    PaymentOutcome,
    PaymentState,
    SalesState,
)
from chalicelib.rules import decide
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, an_order_of, ledger_at
from tests.support.events import NOON
from tests.support.life import a_notice, applied, balance, status_of

HOLD = 600
IN_TIME, LATE = NOON + timedelta(seconds=HOLD - 1), NOON + timedelta(seconds=HOLD)
SOME_ID = "0197a2b0-0000-7000-8000-000000000001"


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | MemoryLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with ledger_at(request.getfixturevalue("database"), connections=2) as real:
        yield real


@pytest.fixture
def event(ledger: Ledger) -> Event:
    """Three and five tickets, held for ten minutes, four to a buyer."""
    return ledger.create_event(a_draft(3, 5, hold_seconds=HOLD, max_per_buyer=4))


def stock(ledger: Ledger, event: Event) -> list[tuple[int, int, int]]:
    return [(kind.sold, kind.reserved, kind.unsold) for kind in ledger.event(event.id).ticket_types]


def reserved(ledger: Ledger, event: Event, quantity: int = 1, **order: str) -> OrderPlaced:
    placed = an_order(event, quantity, **order)  # type: ignore[arg-type]
    applied(ledger, placed, now=NOON)
    assert status_of(ledger, placed) is OrderStatus.RESERVED
    return placed


def expired(ledger: Ledger, event: Event, quantity: int = 1, **order: str) -> OrderPlaced:
    placed = reserved(ledger, event, quantity, **order)
    assert ledger.expire_due(LATE, 10) == {event.id: 1}
    return placed


def confirmed(ledger: Ledger, event: Event, quantity: int = 1, **order: str) -> OrderPlaced:
    placed = reserved(ledger, event, quantity, **order)
    assert ledger.pay(a_notice(placed), IN_TIME).state is PaymentState.APPLIED
    return placed


def found(ledger: Ledger, placed: OrderPlaced) -> Order:
    order = ledger.order(placed.order_id)
    assert order is not None
    return order


def version(ledger: Ledger, event: Event) -> int:
    return ledger.event(event.id).ticket_types[0].version


# -- the switch


def test_a_sale_is_open_and_can_be_paused_and_resumed(ledger: Ledger, event: Event) -> None:
    assert event.sales_state is SalesState.OPEN
    paused = ledger.switch(event.id, SalesState.PAUSED)
    assert paused == replace(
        event, sales_state=SalesState.PAUSED, version=event.version + 1, updated_at=paused.updated_at
    )
    assert ledger.event(event.id) == paused
    assert ledger.switch(event.id, SalesState.OPEN).version == event.version + 2


def test_the_state_that_a_sale_has_already_is_no_change(ledger: Ledger, event: Event) -> None:
    for state in SalesState:
        changed = ledger.switch(event.id, state)
        assert ledger.switch(event.id, state) == changed


def test_a_closed_sale_stays_closed(ledger: Ledger, event: Event) -> None:
    closed = ledger.switch(event.id, SalesState.CLOSED)
    for state in (SalesState.OPEN, SalesState.PAUSED):
        with pytest.raises(Rejected) as caught:
            ledger.switch(event.id, state)
        assert caught.value.code == "sale-closed"
    assert ledger.event(event.id) == closed


def test_a_missing_event_cannot_be_switched(ledger: Ledger) -> None:
    with pytest.raises(Rejected) as caught:
        ledger.switch(404, SalesState.PAUSED)
    assert caught.value.code == "event-not-found"


def test_an_event_keeps_its_hold_and_its_rule_for_late_money(ledger: Ledger) -> None:
    for late_payment in LatePayment:
        event = ledger.create_event(a_draft(1, hold_seconds=7, late_payment=late_payment))
        assert (event.hold_seconds, event.late_payment) == (7, late_payment)
        assert ledger.event(event.id) == event
        edited = ledger.update_event(event.id, None, {"hold_seconds": 0, "late_payment": LatePayment.PARK})
        assert (edited.hold_seconds, edited.late_payment) == (0, LatePayment.PARK)
        assert ledger.event(event.id) == edited


# -- the hold


def test_an_order_of_an_event_with_a_hold_is_reserved_until_the_hold_ends(
    ledger: Ledger, event: Event
) -> None:
    placed = reserved(ledger, event, 2)
    assert found(ledger, placed).expires_at == LATE
    assert stock(ledger, event) == [(0, 2, 1), (0, 0, 5)]
    balance(ledger, event)


def test_reserved_tickets_are_not_for_sale(ledger: Ledger, event: Event) -> None:
    reserved(ledger, event, 2)
    refused = an_order(event, 2)
    applied(ledger, refused, now=NOON)
    assert found(ledger, refused).reason == "not-enough-tickets"


def test_a_snapshot_tells_the_hold_and_what_is_reserved(ledger: Ledger, event: Event) -> None:
    other = ledger.create_event(a_draft(9))
    reserved(ledger, event, 2)
    with ledger.attempt() as attempt:
        snapshot = attempt.snapshot([an_order(event), an_order(other)])
    assert dict(snapshot.hold_seconds) == {event.id: HOLD}
    assert snapshot.lots[event.ticket_types[0].id].unsold == 1


# -- payment


def test_the_right_amount_in_time_confirms(ledger: Ledger, event: Event) -> None:
    placed = reserved(ledger, event, 2)
    notice = a_notice(placed)
    payment = ledger.pay(notice, IN_TIME)
    assert payment == Payment(
        reference=notice.reference,
        order_id=placed.order_id,
        amount=1_000,
        currency="EUR",
        outcome=PaymentOutcome.SUCCEEDED,
        state=PaymentState.APPLIED,
        received_at=IN_TIME,
    )
    order = found(ledger, placed)
    assert (order.status, order.expires_at, order.decided_at) == (OrderStatus.CONFIRMED, None, NOON)
    assert stock(ledger, event) == [(2, 0, 1), (0, 0, 5)]
    balance(ledger, event)


def test_a_payment_moves_no_version_since_no_ticket_came_or_went(ledger: Ledger, event: Event) -> None:
    placed = reserved(ledger, event)
    before = version(ledger, event)
    ledger.pay(a_notice(placed), IN_TIME)
    assert version(ledger, event) == before


@pytest.mark.parametrize("wrong", [{"amount": 499}, {"amount": 501}, {"amount": -500}, {"currency": "USD"}])
def test_a_wrong_amount_is_refused_and_kept_and_the_right_one_still_confirms(
    ledger: Ledger, event: Event, wrong: dict[str, object]
) -> None:
    placed = reserved(ledger, event)
    payment = ledger.pay(a_notice(placed, **wrong), IN_TIME)
    assert payment.state is PaymentState.REFUSED
    assert ledger.payments(PaymentState.REFUSED, None, 9) == [payment]
    assert status_of(ledger, placed) is OrderStatus.RESERVED
    assert ledger.pay(a_notice(placed), IN_TIME).state is PaymentState.APPLIED
    balance(ledger, event)


def test_a_failed_payment_leaves_the_order_reserved(ledger: Ledger, event: Event) -> None:
    placed = reserved(ledger, event)
    assert ledger.pay(a_notice(placed, outcome=PaymentOutcome.FAILED), IN_TIME).state is PaymentState.FAILED
    assert status_of(ledger, placed) is OrderStatus.RESERVED
    balance(ledger, event)


def test_a_replayed_notice_returns_what_is_recorded_whatever_it_says_now(
    ledger: Ledger, event: Event
) -> None:
    placed, other = reserved(ledger, event), reserved(ledger, event)
    notice = a_notice(placed)
    first = ledger.pay(notice, IN_TIME)
    assert ledger.pay(notice, LATE) == first
    assert ledger.pay(replace(notice, order_id=other.order_id), LATE) == first
    assert ledger.payments(None, None, 9) == [first]
    assert status_of(ledger, other) is OrderStatus.RESERVED
    balance(ledger, event)


def test_a_second_payment_of_an_order_is_due_for_refund(ledger: Ledger, event: Event) -> None:
    placed = confirmed(ledger, event)
    assert ledger.pay(a_notice(placed), IN_TIME).state is PaymentState.REFUND_DUE
    balance(ledger, event)


@pytest.mark.parametrize("order_id", [SOME_ID, "7", "", SOME_ID.upper() + "x", "not an order"])
def test_money_for_an_unknown_order_is_kept_unmatched(ledger: Ledger, event: Event, order_id: str) -> None:
    notice = a_notice(an_order(event), order_id=order_id)
    payment = ledger.pay(notice, NOON)
    assert (payment.state, payment.order_id) == (PaymentState.UNMATCHED, order_id)
    assert ledger.payments(PaymentState.UNMATCHED, None, 9) == [payment]


def test_an_order_that_asked_for_no_payment_takes_one_and_no_more(ledger: Ledger) -> None:
    free = ledger.create_event(a_draft(3))
    placed = an_order(free)
    applied(ledger, placed, now=NOON)
    assert ledger.pay(a_notice(placed), NOON).state is PaymentState.APPLIED
    assert ledger.pay(a_notice(placed), NOON).state is PaymentState.REFUND_DUE
    balance(ledger, free)


def test_money_for_a_rejected_order_is_due_for_refund(ledger: Ledger, event: Event) -> None:
    placed = an_order_of(404, (1, 1))
    refused = an_order(event, 9)
    applied(ledger, placed, refused, now=NOON)
    for order in (placed, refused):
        assert ledger.pay(a_notice(order), NOON).state is PaymentState.REFUND_DUE


# -- late payment

LATE_STATES = {
    LatePayment.ACCEPT_IF_AVAILABLE: PaymentState.APPLIED,
    LatePayment.REFUND: PaymentState.REFUND_DUE,
    LatePayment.PARK: PaymentState.PARKED,
}


@pytest.mark.parametrize("late_payment", LatePayment)
@pytest.mark.parametrize("recorded", [True, False], ids=["expired", "not yet expired"])
def test_late_money_goes_by_the_events_choice(
    ledger: Ledger, late_payment: LatePayment, recorded: bool
) -> None:
    event = ledger.create_event(a_draft(3, hold_seconds=HOLD, late_payment=late_payment, max_per_buyer=2))
    placed = (expired if recorded else reserved)(ledger, event, 2)
    assert ledger.pay(a_notice(placed), LATE).state is LATE_STATES[late_payment]
    accepted = late_payment is LatePayment.ACCEPT_IF_AVAILABLE
    assert (status_of(ledger, placed) is OrderStatus.CONFIRMED) == accepted
    assert ledger.expire_due(LATE, 9) == ({} if recorded or accepted else {event.id: 1})
    balance(ledger, event)


def a_lenient_event(ledger: Ledger, **terms: int) -> Event:
    choice = LatePayment.ACCEPT_IF_AVAILABLE
    return ledger.create_event(a_draft(3, hold_seconds=HOLD, late_payment=choice, **terms))


def test_late_money_is_due_for_refund_when_the_tickets_are_gone(ledger: Ledger) -> None:
    event = a_lenient_event(ledger)
    late = expired(ledger, event, 2)
    reserved(ledger, event, 2)
    assert ledger.pay(a_notice(late), LATE).state is PaymentState.REFUND_DUE
    assert status_of(ledger, late) is OrderStatus.EXPIRED
    balance(ledger, event)


def test_late_money_is_due_for_refund_when_it_would_take_the_buyer_over_the_cap(ledger: Ledger) -> None:
    event = a_lenient_event(ledger, max_per_buyer=2)
    late = expired(ledger, event, 1, user="ann")
    reserved(ledger, event, 2, user="ann")
    assert ledger.pay(a_notice(late), LATE).state is PaymentState.REFUND_DUE
    balance(ledger, event)


def test_late_money_counts_a_version_since_tickets_went(ledger: Ledger) -> None:
    event = a_lenient_event(ledger)
    late = expired(ledger, event)
    before = version(ledger, event)
    ledger.pay(a_notice(late), LATE)
    assert version(ledger, event) == before + 1


# -- expiry


def test_holds_expire_when_they_end_and_give_tickets_and_allowance_back(ledger: Ledger, event: Event) -> None:
    placed = reserved(ledger, event, 3, user="ann")
    assert ledger.expire_due(IN_TIME, 9) == {}
    assert ledger.expire_due(LATE, 9) == {event.id: 1}
    assert ledger.expire_due(LATE, 9) == {}
    order = found(ledger, placed)
    assert (order.status, order.expires_at, order.reason) == (OrderStatus.EXPIRED, LATE, None)
    assert stock(ledger, event) == [(0, 0, 3), (0, 0, 5)]
    reserved(ledger, event, 3, user="ann")
    balance(ledger, event)


def test_orders_expire_in_batches_over_events_the_longest_due_first(ledger: Ledger, event: Event) -> None:
    short = ledger.create_event(a_draft(9, hold_seconds=60))
    first = [reserved(ledger, short) for _ in range(3)]
    rest = [reserved(ledger, event), reserved(ledger, event, kind=1)]  # type: ignore[arg-type]
    assert ledger.expire_due(LATE, 2) == {short.id: 2}
    assert ledger.expire_due(LATE, 2) == {short.id: 1, event.id: 1}
    assert ledger.expire_due(LATE, 2) == {event.id: 1}
    assert {status_of(ledger, placed) for placed in (*first, *rest)} == {OrderStatus.EXPIRED}
    balance(ledger, event)
    balance(ledger, short)


def test_one_buyers_orders_expire_together(ledger: Ledger, event: Event) -> None:
    for kind in (0, 1, 0):
        applied(ledger, an_order(event, user="ann", kind=kind), now=NOON)
    assert ledger.expire_due(LATE, 9) == {event.id: 3}
    balance(ledger, event)


def test_expiry_counts_a_version_since_tickets_came_back(ledger: Ledger, event: Event) -> None:
    reserved(ledger, event)
    before = version(ledger, event)
    ledger.expire_due(LATE, 9)
    assert version(ledger, event) == before + 1


# -- cancelling


@pytest.mark.parametrize("make", [reserved, confirmed])
def test_a_cancelled_order_gives_tickets_and_allowance_back_once(
    ledger: Ledger, event: Event, make: object
) -> None:
    placed = make(ledger, event, 3, user="ann")  # type: ignore[operator]
    before = version(ledger, event)
    cancelled, is_news = ledger.cancel(placed.order_id, None, LATE)
    assert is_news
    assert (cancelled.status, cancelled.expires_at, cancelled.decided_at) == (
        OrderStatus.CANCELLED,
        None,
        NOON,
    )
    assert ledger.cancel(placed.order_id, None, LATE) == (cancelled, False)
    assert cancelled == found(ledger, placed)
    assert stock(ledger, event) == [(0, 0, 3), (0, 0, 5)]
    assert version(ledger, event) == before + 1
    reserved(ledger, event, 3, user="ann")
    balance(ledger, event)


def test_cancelled_and_paid_is_due_for_refund(ledger: Ledger, event: Event) -> None:
    placed = confirmed(ledger, event)
    (paid,) = ledger.payments(PaymentState.APPLIED, None, 9)
    ledger.cancel(placed.order_id, None, IN_TIME)
    assert ledger.payments(None, None, 9) == [replace(paid, state=PaymentState.REFUND_DUE)]
    balance(ledger, event)


@pytest.mark.parametrize(
    ("late_payment", "state"),
    [
        (LatePayment.REFUND, PaymentState.REFUND_DUE),
        (LatePayment.ACCEPT_IF_AVAILABLE, PaymentState.REFUND_DUE),
        (LatePayment.PARK, PaymentState.PARKED),
    ],
)
def test_money_for_a_cancelled_order_does_not_bring_it_back(
    ledger: Ledger, late_payment: LatePayment, state: PaymentState
) -> None:
    event = ledger.create_event(a_draft(3, hold_seconds=HOLD, late_payment=late_payment))
    placed = reserved(ledger, event)
    ledger.cancel(placed.order_id, None, NOON)
    assert ledger.pay(a_notice(placed), IN_TIME).state is state
    assert status_of(ledger, placed) is OrderStatus.CANCELLED
    balance(ledger, event)


def test_what_is_over_cannot_be_cancelled(ledger: Ledger, event: Event) -> None:
    refused = an_order(event, 9)
    applied(ledger, refused, now=NOON)
    for placed in (refused, expired(ledger, event)):
        before = found(ledger, placed)
        with pytest.raises(Rejected) as caught:
            ledger.cancel(placed.order_id, placed, LATE)
        assert caught.value.code == "order-not-cancellable"
        assert found(ledger, placed) == before


def test_what_is_not_there_cannot_be_cancelled(ledger: Ledger) -> None:
    with pytest.raises(Rejected) as caught:
        ledger.cancel(SOME_ID, None, NOON)
    assert caught.value.code == "order-not-found"


def test_a_cancel_that_overtakes_its_order_is_remembered(ledger: Ledger, event: Event) -> None:
    placed = an_order(event, 2, key="k")
    cancelled, is_news = ledger.cancel(placed.order_id, placed, LATE)
    assert is_news
    assert cancelled == found(ledger, placed)
    assert (cancelled.status, cancelled.decided_at, cancelled.reason) == (OrderStatus.CANCELLED, LATE, None)
    assert (cancelled.items, cancelled.total_price) == (placed.items, 1_000)
    assert ledger.cancel(placed.order_id, placed, LATE) == (cancelled, False)
    (outcome,) = applied(ledger, placed, now=LATE).outcomes
    assert (outcome.status, outcome.known, outcome.kept) == (OrderStatus.CANCELLED, True, False)
    assert ledger.order_by_key(placed.user_id, "k") == (cancelled, placed.request_digest)
    assert stock(ledger, event) == [(0, 0, 3), (0, 0, 5)]
    balance(ledger, event)


def test_a_claim_of_an_order_that_was_decided_meanwhile_cancels_it_as_decided(
    ledger: Ledger, event: Event
) -> None:
    placed = reserved(ledger, event, 2)
    cancelled, is_news = ledger.cancel(placed.order_id, placed, LATE)
    assert (cancelled.decided_at, is_news) == (NOON, True)
    assert stock(ledger, event) == [(0, 0, 3), (0, 0, 5)]
    balance(ledger, event)


def test_a_decision_that_a_cancel_overtook_conflicts(ledger: Ledger, event: Event) -> None:
    placed = an_order(event)

    def overtaken() -> None:
        with ledger.attempt() as attempt:
            decision = decide([placed], attempt.snapshot([placed]), NOON)
            ledger.cancel(placed.order_id, placed, NOON)
            attempt.record(decision)

    with pytest.raises(Conflict):
        overtaken()
    assert status_of(ledger, placed) is OrderStatus.CANCELLED
    balance(ledger, event)


# -- keys


def test_the_second_order_with_a_buyers_key_is_rejected_and_takes_nothing(
    ledger: Ledger, event: Event
) -> None:
    first, second = an_order(event, user="ann", key="k"), an_order(event, user="ann", key="k")
    applied(ledger, first, now=NOON)
    applied(ledger, second, now=NOON)
    assert found(ledger, second).reason == "idempotency-key-reused"
    assert ledger.order_by_key("ann", "k") == (found(ledger, first), first.request_digest)
    assert stock(ledger, event) == [(0, 1, 2), (0, 0, 5)]
    balance(ledger, event)


def test_one_key_twice_in_a_batch_is_the_first_ones(ledger: Ledger, event: Event) -> None:
    batch = [an_order(event, user="ann", key="k") for _ in range(3)]
    applied(ledger, *reversed(batch), now=NOON)
    assert [found(ledger, placed).reason for placed in batch] == [None, *["idempotency-key-reused"] * 2]
    applied(ledger, *batch, now=NOON)
    balance(ledger, event)


def test_a_key_belongs_to_a_buyer_over_all_events(ledger: Ledger, event: Event) -> None:
    other = ledger.create_event(a_draft(3))
    orders = [
        an_order(event, user="ann", key="k"),
        an_order(other, user="bob", key="k"),
        an_order(other, user="ann", key="K"),
        an_order(other, user="ann", key="k"),
    ]
    for placed in orders:
        applied(ledger, placed, now=NOON)
    assert [found(ledger, placed).reason for placed in orders] == [None, None, None, "idempotency-key-reused"]


def test_a_rejected_order_keeps_its_key(ledger: Ledger, event: Event) -> None:
    refused, again = an_order(event, 9, user="ann", key="k"), an_order(event, user="ann", key="k")
    applied(ledger, refused, again, now=NOON)
    kept = ledger.order_by_key("ann", "k")
    assert kept == (found(ledger, refused), refused.request_digest)
    assert found(ledger, again).reason == "idempotency-key-reused"


def test_a_cancelled_order_whose_key_is_anothers_goes_without(ledger: Ledger, event: Event) -> None:
    first, second = reserved(ledger, event, user="ann", key="k"), an_order(event, user="ann", key="k")
    cancelled, is_news = ledger.cancel(second.order_id, second, NOON)
    assert (cancelled.status, is_news) == (OrderStatus.CANCELLED, True)
    assert ledger.order_by_key("ann", "k") == (found(ledger, first), first.request_digest)
    balance(ledger, event)


def test_an_order_without_a_key_is_found_by_none(ledger: Ledger, event: Event) -> None:
    applied(ledger, an_order(event, user="ann"), an_order(event, user="ann"), now=NOON)
    assert ledger.order_by_key("ann", "k") is None
    assert ledger.order_by_key("ann", "") is None


def test_a_decision_whose_key_was_taken_meanwhile_conflicts(ledger: Ledger, event: Event) -> None:
    other = ledger.create_event(a_draft(3))
    first, second = an_order(event, user="ann", key="k"), an_order(other, user="ann", key="k")

    def overtaken() -> None:
        with ledger.attempt() as attempt:
            decision = decide([second], attempt.snapshot([second]), NOON)
            applied(ledger, first, now=NOON)
            attempt.record(decision)

    with pytest.raises(Conflict):
        overtaken()
    assert ledger.order(second.order_id) is None
    balance(ledger, other)


# -- lists and surveys


def test_payments_are_listed_by_state_and_page_the_last_received_first(ledger: Ledger, event: Event) -> None:
    placed = reserved(ledger, event)
    wrong = [
        ledger.pay(a_notice(placed, amount=turn, reference=f"r{turn}"), NOON + timedelta(seconds=turn // 2))
        for turn in range(5)
    ]
    right = ledger.pay(a_notice(placed), NOON + timedelta(seconds=1))
    assert ledger.payments(PaymentState.REFUSED, None, 9) == wrong[::-1]
    assert ledger.payments(PaymentState.REFUSED, None, 2) == [wrong[4], wrong[3]]
    assert ledger.payments(PaymentState.REFUSED, "r3", 2) == [wrong[2], wrong[1]]
    assert ledger.payments(PaymentState.REFUSED, "r0", 2) == []
    assert ledger.payments(PaymentState.APPLIED, None, 9) == [right]
    assert set(ledger.payments(None, "r4", 9)) == {right, *wrong[:4]}
    assert ledger.payments(None, "unknown", 9) == []


def test_a_survey_tells_counters_and_which_orders_are_decided(ledger: Ledger, event: Event) -> None:
    one, two = reserved(ledger, event, 2), confirmed(ledger, event)
    cancelled, unknown = an_order(event), an_order(event)
    ledger.cancel(cancelled.order_id, cancelled, NOON)
    asked = [placed.order_id for placed in (one, cancelled, unknown)]
    survey = ledger.survey(event.id, asked)
    assert survey.ticket_types == ledger.event(event.id).ticket_types
    assert (survey.ticket_types[0].sold, survey.ticket_types[0].reserved) == (1, 2)
    assert survey.decided == {one.order_id, cancelled.order_id}
    assert ledger.survey(event.id, []).decided == frozenset()
    assert two.order_id not in survey.decided


def test_a_survey_of_a_missing_event_is_rejected(ledger: Ledger) -> None:
    with pytest.raises(Rejected) as caught:
        ledger.survey(404, [])
    assert caught.value.code == "event-not-found"


def given_back(ledger: Ledger, event: Event, user: str) -> int:
    with ledger.attempt() as attempt:
        tallies = attempt.snapshot([an_order(event, user=user)]).tallies
    return tallies[event.id, user].given_back


def test_an_order_that_was_had_and_let_go_is_counted_once_however_it_went(
    ledger: Ledger, event: Event
) -> None:
    again = reserved(ledger, event, user="ann")
    for _ in range(2):
        ledger.cancel(again.order_id, None, IN_TIME)
    assert given_back(ledger, event, "ann") == 1
    ledger.cancel(confirmed(ledger, event, user="ann").order_id, None, IN_TIME)
    assert given_back(ledger, event, "ann") == 2
    gone = expired(ledger, event, user="ann")
    assert ledger.expire_due(LATE, 10) == {}
    with pytest.raises(Rejected):
        ledger.cancel(gone.order_id, None, LATE)
    assert given_back(ledger, event, "ann") == 3
    balance(ledger, event)


def test_a_pending_order_that_is_cancelled_is_counted_once_and_its_message_counts_nothing(
    ledger: Ledger, event: Event
) -> None:
    pending = an_order(event, user="ann")
    for _ in range(2):
        ledger.cancel(pending.order_id, pending, NOON)
    applied(ledger, pending, now=NOON)
    assert given_back(ledger, event, "ann") == 1
    balance(ledger, event)


def test_a_rejected_order_was_never_had_and_is_not_counted(ledger: Ledger, event: Event) -> None:
    reserved(ledger, event, user="ann")
    too_many = an_order(event, 4, user="ann")
    applied(ledger, too_many, now=NOON)
    assert status_of(ledger, too_many) is OrderStatus.REJECTED
    assert given_back(ledger, event, "ann") == 0


def test_money_that_comes_late_and_is_taken_undoes_the_count_of_its_expiry(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3, hold_seconds=HOLD, late_payment=LatePayment.ACCEPT_IF_AVAILABLE))
    late = expired(ledger, event, user="ann")
    assert given_back(ledger, event, "ann") == 1
    assert ledger.pay(a_notice(late), LATE).state is PaymentState.APPLIED
    assert given_back(ledger, event, "ann") == 0
    balance(ledger, event)


def test_whoever_keeps_giving_back_gets_no_more_while_others_buy(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(9, hold_seconds=HOLD, max_cancellations=2))
    ledger.cancel(reserved(ledger, event, user="ann").order_id, None, IN_TIME)
    expired(ledger, event, user="ann")
    third = an_order(event, user="ann")
    applied(ledger, third, now=NOON)
    order = found(ledger, third)
    assert (order.status, order.reason) == (OrderStatus.REJECTED, "buyer-limit-exceeded")
    reserved(ledger, event, user="bob")
    ledger.update_event(event.id, None, {"max_cancellations": None})
    reserved(ledger, event, user="ann")
    balance(ledger, event)
