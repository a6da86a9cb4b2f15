"""What is told of an order's life, from what the stores still know of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.model import (
    FailedAttempt,
    Item,
    Order,
    OrderPlaced,
    OrderStatus,
    Payment,
    PaymentOutcome,
    PaymentState,
)
from chalicelib.ops.timeline import Claimed, entries_of
from chalicelib.traces import Entry, Letter, Place, Trace, What
from tests.support.events import NOON, NOON_MS
from tests.support.letters import a_letter

ID = "0197a2b0-0000-7000-8000-000000000001"
CLAIM = OrderPlaced(
    schema=1,
    order_id=ID,
    event_id=1,
    user_id="ann",
    currency="EUR",
    items=(Item(1, 2, 500),),
    accepted_at_ms=NOON_MS,
)
GONE, DOWN = Claimed(), Claimed(answers=False)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def an_order(status: OrderStatus, **fields: Any) -> Order:
    some: dict[str, Any] = {"total_price": 1_000, "currency": "EUR", "accepted_at": NOON, "decided_at": at(1)}
    return Order(id=ID, event_id=1, user_id="ann", items=CLAIM.items, status=status, **(some | fields))


def a_payment(state: PaymentState, seconds: float, reference: str = "r-1") -> Payment:
    return Payment(
        reference=reference,
        order_id=ID,
        amount=1_000,
        currency="EUR",
        outcome=PaymentOutcome.SUCCEEDED,
        state=state,
        received_at=at(seconds),
    )


def letter(**fields: Any) -> Letter:
    return a_letter("m-1", order_id=ID, event_id=1, user_id="ann", **fields)


def told(trace: Trace, gate: Claimed = GONE) -> list[tuple[str, float | None]]:
    """What happened, and how many seconds after noon."""
    return [
        (entry.what.value, None if entry.at is None else (entry.at - NOON).total_seconds())
        for entry in entries_of(trace, gate)
    ]


def the(what: What, trace: Trace, gate: Claimed = GONE) -> Entry:
    (found,) = [entry for entry in entries_of(trace, gate) if entry.what is what]
    return found


def test_an_order_that_waits_was_accepted_and_queued() -> None:
    gate = Claimed(claim=CLAIM, queued_at=at(0))
    assert told(Trace(), gate) == [("accepted", 0), ("queued", 0)]
    assert {entry.source for entry in entries_of(Trace(), gate)} == {Place.GATE}


def test_an_order_that_was_put_on_the_queue_again_says_when_last() -> None:
    failed = Trace(attempts=(FailedAttempt(at(2), "a bug", 1),))
    assert told(failed, Claimed(claim=CLAIM, queued_at=at(60))) == [
        ("accepted", 0),
        ("attempt-failed", 2),
        ("queued", 60),
    ]


def test_when_a_decided_order_was_queued_and_settled_nobody_has_kept() -> None:
    trace = Trace(order=an_order(OrderStatus.CONFIRMED))
    assert told(trace) == [("accepted", 0), ("queued", None), ("decided", 1), ("settled", None)]
    assert the(What.SETTLED, trace).source is Place.GATE


def test_while_the_claim_is_there_nothing_is_settled() -> None:
    trace = Trace(order=an_order(OrderStatus.CONFIRMED))
    assert told(trace, Claimed(claim=CLAIM, queued_at=at(0))) == [
        ("accepted", 0),
        ("queued", 0),
        ("decided", 1),
    ]


def test_of_a_gate_that_is_down_nothing_is_claimed() -> None:
    trace = Trace(order=an_order(OrderStatus.CONFIRMED))
    assert told(trace, DOWN) == [("accepted", 0), ("queued", None), ("decided", 1)]
    assert "does not answer" in the(What.QUEUED, trace, DOWN).detail


@pytest.mark.parametrize(
    ("order", "hold_seconds", "detail"),
    [
        (an_order(OrderStatus.CONFIRMED), 0, "confirmed"),
        (an_order(OrderStatus.CONFIRMED), 600, "reserved"),
        (an_order(OrderStatus.RESERVED), 600, "reserved"),
        (an_order(OrderStatus.EXPIRED), 600, "reserved"),
        (an_order(OrderStatus.CANCELLED), 0, "confirmed"),
        (an_order(OrderStatus.REJECTED, reason="sold-out"), 600, "rejected: sold-out"),
    ],
    ids=str,
)
def test_the_decision_is_the_first_answer_whatever_became_of_it(
    order: Order, hold_seconds: int, detail: str
) -> None:
    decided = the(What.DECIDED, Trace(order=order, hold_seconds=hold_seconds))
    assert (decided.detail, decided.at, decided.source) == (detail, at(1), Place.LEDGER)


def test_every_failure_is_told_with_its_error_and_what_became_of_the_message() -> None:
    trace = Trace(
        letters=(letter(recorded_at=at(4), moved_at=at(5), redriven_at=at(9), deleted_at=at(12)),),
        attempts=(FailedAttempt(at(4), "another bug", 7), FailedAttempt(at(2), "a bug", 1)),
    )
    assert told(trace, Claimed(claim=CLAIM, queued_at=at(0)))[2:] == [
        ("attempt-failed", 2),
        ("attempt-failed", 4),
        ("dead-lettered", 5),
        ("redriven", 9),
        ("deleted", 12),
    ]
    errors = [entry.detail for entry in entries_of(trace, GONE) if entry.what is What.ATTEMPT_FAILED]
    assert errors == ["a bug (delivery 1)", "another bug (delivery 7)"]
    assert "m-1" in the(What.REDRIVEN, trace).detail


def test_of_a_letter_whose_failures_were_not_kept_the_last_one_is_told() -> None:
    trace = Trace(letters=(letter(recorded_at=at(3), failures=5),))
    assert the(What.ATTEMPT_FAILED, trace).detail == "a bug (failure 5)"
    assert told(trace) == [("accepted", None), ("queued", None), ("attempt-failed", 3)]


def test_an_order_of_which_only_a_message_is_left_was_accepted_some_time() -> None:
    accepted = the(What.ACCEPTED, Trace(letters=(letter(),)))
    assert (accepted.at, accepted.source) == (None, Place.DEAD_LETTERS)


MONEY = {
    PaymentState.APPLIED: "paid",
    PaymentState.REFUSED: "payment-refused",
    PaymentState.FAILED: "payment-refused",
    PaymentState.UNMATCHED: "payment-refused",
    PaymentState.PARKED: "refund-due",
    PaymentState.REFUND_DUE: "refund-due",
}


@pytest.mark.parametrize("state", PaymentState)
def test_every_payment_is_told_when_it_came(state: PaymentState) -> None:
    trace = Trace(order=an_order(OrderStatus.RESERVED), hold_seconds=600, payments=(a_payment(state, 5),))
    assert told(trace)[-1] == (MONEY[state], 5)
    assert "r-1, 1000 minor units of EUR" in the(What(MONEY[state]), trace).detail


def test_a_cancelled_order_was_paid_first_and_its_money_is_due_back_since_then() -> None:
    trace = Trace(
        order=an_order(OrderStatus.CANCELLED),
        hold_seconds=600,
        ended_at=at(9),
        payments=(
            a_payment(PaymentState.REFUND_DUE, 12, "too late"),
            a_payment(PaymentState.REFUND_DUE, 7, "twice"),
            a_payment(PaymentState.REFUND_DUE, 5, "first"),
        ),
    )
    assert told(trace)[2:] == [
        ("decided", 1),
        ("settled", None),
        ("paid", 5),
        ("refund-due", 7),
        ("cancelled", 9),
        ("refund-due", 9),
        ("refund-due", 12),
    ]
    assert the(What.PAID, trace).detail.startswith("first")


def test_money_that_came_after_the_end_paid_nothing() -> None:
    trace = Trace(
        order=an_order(OrderStatus.CANCELLED),
        ended_at=at(9),
        payments=(a_payment(PaymentState.REFUND_DUE, 10),),
    )
    assert told(trace)[-2:] == [("cancelled", 9), ("refund-due", 10)]


def test_an_expired_order_was_not_paid_in_time() -> None:
    trace = Trace(order=an_order(OrderStatus.EXPIRED), hold_seconds=600, ended_at=at(601))
    assert told(trace)[-2:] == [("settled", None), ("expired", 601)]


def test_late_money_that_was_welcome_leaves_no_expiry() -> None:
    trace = Trace(
        order=an_order(OrderStatus.CONFIRMED),
        hold_seconds=600,
        payments=(a_payment(PaymentState.APPLIED, 700),),
    )
    assert [what for what, _ in told(trace)] == ["accepted", "queued", "decided", "settled", "paid"]


def test_an_order_that_was_cancelled_before_its_decision_has_none() -> None:
    trace = Trace(order=an_order(OrderStatus.CANCELLED), ended_at=at(1))
    assert told(trace) == [("accepted", 0), ("queued", None), ("cancelled", 1), ("settled", None)]
    assert the(What.CANCELLED, trace).detail == "before it was decided"


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_an_end_that_nobody_has_kept_comes_last_before_money_that_is_due_back(status: OrderStatus) -> None:
    paid = a_payment(PaymentState.REFUND_DUE, 5)
    trace = Trace(order=an_order(status), hold_seconds=600, payments=(paid,))
    whats = [what for what, _ in told(trace)]
    assert whats[:4] == ["accepted", "queued", "decided", "settled"]
    ends = ["paid", "cancelled"] if status is OrderStatus.CANCELLED else ["expired"]
    assert whats[4:] == [*ends, "refund-due"]


def test_at_one_moment_what_usually_comes_first_comes_first() -> None:
    trace = Trace(
        order=an_order(OrderStatus.CANCELLED, accepted_at=at(1)),
        ended_at=at(2),
        letters=(letter(recorded_at=at(1), moved_at=at(1), redriven_at=at(1)),),
    )
    whats = [what for what, _ in told(trace)]
    assert whats[0:2] == ["accepted", "queued"]
    assert whats[2:6] == ["attempt-failed", "dead-lettered", "redriven", "decided"]


def test_nothing_comes_before_the_acceptance_whatever_the_clocks_say() -> None:
    trace = Trace(order=an_order(OrderStatus.CONFIRMED, decided_at=at(-0.002)))
    assert told(trace) == [("accepted", 0), ("queued", None), ("decided", -0.002), ("settled", None)]


def test_there_is_a_test_for_everything_that_can_be_told() -> None:
    trace = Trace(
        order=an_order(OrderStatus.CANCELLED),
        hold_seconds=600,
        ended_at=at(9),
        letters=(letter(moved_at=at(5), redriven_at=at(6), deleted_at=at(7)),),
        payments=(a_payment(PaymentState.REFUSED, 3), a_payment(PaymentState.REFUND_DUE, 4)),
    )
    seen = {what for what, _ in told(trace)} | {"expired"}
    assert seen == set(What)
