"""What every ledger must find of an order, and tell of its life: the in-memory twin and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from chalicelib.ledger.ledger import Ledger
from chalicelib.model import Event, LatePayment, OrderPlaced, PaymentState
from chalicelib.traces import Candidate, Matched, Trace
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, ledger_at
from tests.support.events import NOON
from tests.support.letters import a_failure, a_letter, keep, write
from tests.support.life import a_notice, applied

HOLD = 600
IN_TIME, LATE = NOON + timedelta(seconds=HOLD - 1), NOON + timedelta(seconds=HOLD)
NOBODYS = "0197a2b0-0000-7000-8000-000000000001"

Keep = Callable[..., None]
Books = tuple[Ledger, Keep]


@pytest.fixture(params=["memory", "postgres"])
def books(request: pytest.FixtureRequest) -> Iterator[tuple[Ledger | MemoryLedger, Keep]]:
    """A ledger, and what puts failed messages into it."""
    if request.param == "memory":
        twin = MemoryLedger()
        yield twin, partial(keep, twin)
        return
    dsn = request.getfixturevalue("database")
    with ledger_at(dsn) as real, psycopg.connect(dsn, autocommit=True) as connection:
        yield real, partial(write, connection)


@pytest.fixture
def ledger(books: Books) -> Ledger:
    return books[0]


@pytest.fixture
def event(ledger: Ledger) -> Event:
    """Ten tickets, held for ten minutes, and late money is welcome."""
    return ledger.create_event(a_draft(10, hold_seconds=HOLD, late_payment=LatePayment.ACCEPT_IF_AVAILABLE))


def ordered(ledger: Ledger, event: Event, **order: Any) -> OrderPlaced:
    placed = an_order(event, **order)
    applied(ledger, placed, now=NOON)
    return placed


def letter_of(placed: OrderPlaced, message_id: str = "m-1", **fields: Any) -> Any:
    whose = {"order_id": placed.order_id, "event_id": placed.event_id, "user_id": placed.user_id}
    return a_letter(message_id, **whose, **fields)


def found(ledger: Ledger, text: str, limit: int = 10) -> list[Candidate]:
    return ledger.candidates(text, limit)


# -- candidates


def test_a_buyers_orders_are_found_the_newest_first(ledger: Ledger, event: Event) -> None:
    ids = [ordered(ledger, event, user=user).order_id for user in ("ann", "bob", "ann")]
    expected = [Candidate(order_id, event.id, Matched.BUYER) for order_id in (ids[2], ids[0])]
    assert found(ledger, "ann") == expected
    assert found(ledger, "ann", 1) == expected[:1]


def test_an_order_is_found_by_its_key_whoever_has_it(ledger: Ledger, event: Event) -> None:
    ids = {ordered(ledger, event, user=user, key="k").order_id for user in ("ann", "bob")}
    ordered(ledger, event, key="K")
    assert {each.order_id for each in found(ledger, "k")} == ids
    assert {each.matched for each in found(ledger, "k")} == {Matched.IDEMPOTENCY_KEY}
    assert len(found(ledger, "k", 1)) == 1


def test_an_undecided_order_is_found_by_its_failed_message_and_that_messages_buyer(
    books: Books, event: Event
) -> None:
    ledger, kept = books
    placed = an_order(event, user="ann")
    kept(letter_of(placed))
    assert found(ledger, "m-1") == [Candidate(placed.order_id, event.id, Matched.MESSAGE_ID)]
    assert found(ledger, "ann") == [Candidate(placed.order_id, event.id, Matched.BUYER)]


def test_a_message_that_nobody_can_read_is_found_without_its_order(books: Books) -> None:
    ledger, kept = books
    kept(a_letter("m-1"))
    assert found(ledger, "m-1") == [Candidate(None, None, Matched.MESSAGE_ID)]


@pytest.mark.parametrize(
    "text", ["%", "_nn", "an%", "ANN", " ann", "m-_", "*", ".*", "'", "\\", "🎫", "k' --"]
)
def test_a_text_is_taken_word_for_word(books: Books, event: Event, text: str) -> None:
    ledger, kept = books
    kept(letter_of(ordered(ledger, event, user="ann", key="k")))
    assert found(ledger, text) == []


# -- facts


def test_decided_orders_are_read_by_their_ids(ledger: Ledger, event: Event) -> None:
    ids = [ordered(ledger, event).order_id for _ in range(3)]
    asked = [*ids[:2], ids[0], NOBODYS]
    assert {order.id for order in ledger.orders_by_id(asked)} == set(ids[:2])
    assert {order.id: order for order in ledger.orders_by_id(ids)} == {id_: ledger.order(id_) for id_ in ids}
    assert ledger.orders_by_id([]) == []


def test_letters_are_read_by_order_and_by_message_the_last_failure_first(books: Books, event: Event) -> None:
    ledger, kept = books
    placed, other = an_order(event), an_order(event)
    mine = [
        letter_of(placed, f"m-{turn}", recorded_at=NOON + timedelta(seconds=turn), moved_at=LATE)
        for turn in range(3)
    ]
    kept(*mine, letter_of(other, "o"), a_letter("unreadable"))
    assert ledger.letters([placed.order_id, NOBODYS], "", 10) == mine[::-1]
    assert ledger.letters([placed.order_id], "", 2) == mine[:0:-1]
    assert ledger.letters([], "unreadable", 10) == [a_letter("unreadable")]
    assert [each.message_id for each in ledger.letters([placed.order_id], "o", 1)] == ["m-2"]
    assert ledger.letters([], "", 10) == []


# -- the trace


def test_of_an_unknown_order_there_is_no_trace(ledger: Ledger) -> None:
    assert ledger.trace(NOBODYS) == Trace()


def test_a_trace_has_the_order_and_what_its_event_holds(ledger: Ledger, event: Event) -> None:
    placed = ordered(ledger, event)
    ordered(ledger, event)
    order = ledger.order(placed.order_id)
    assert ledger.trace(placed.order_id) == Trace(order=order, hold_seconds=HOLD)


def test_a_trace_has_every_failure_of_every_message_the_last_first(books: Books, event: Event) -> None:
    ledger, kept = books
    placed = an_order(event)
    letters = [
        letter_of(placed, "m-1", moved_at=IN_TIME, redriven_at=LATE, recorded_at=IN_TIME),
        letter_of(placed, "m-2", deleted_at=LATE),
    ]
    failures = [
        a_failure("m-2", failed_at=LATE, reason='a "new" bug\n🎫', receive_count=2),
        a_failure("m-1"),
    ]
    kept(*letters, *failures, a_failure("m-3"), letter_of(an_order(event), "m-3"))
    assert ledger.trace(placed.order_id) == Trace(
        letters=tuple(letters), attempts=tuple(each.attempt for each in failures)
    )


def test_a_trace_has_every_payment_for_the_order_the_last_first(ledger: Ledger, event: Event) -> None:
    placed = ordered(ledger, event)
    other = ordered(ledger, event)
    wrong = ledger.pay(a_notice(placed, amount=1), NOON)
    right = ledger.pay(a_notice(placed), IN_TIME)
    ledger.pay(a_notice(other), IN_TIME)
    assert ledger.trace(placed.order_id).payments == (right, wrong)


def test_what_is_alive_has_not_ended(ledger: Ledger, event: Event) -> None:
    placed = ordered(ledger, event)
    assert ledger.trace(placed.order_id).ended_at is None
    ledger.pay(a_notice(placed), IN_TIME)
    assert ledger.trace(placed.order_id).ended_at is None
    refused = ordered(ledger, event, quantity=99)
    assert ledger.trace(refused.order_id).ended_at is None


def test_a_cancelled_order_ended_the_first_time_that_it_was_cancelled(ledger: Ledger, event: Event) -> None:
    placed = ordered(ledger, event)
    for now in (IN_TIME, LATE):
        ledger.cancel(placed.order_id, None, now)
        assert ledger.trace(placed.order_id).ended_at == IN_TIME


def test_an_order_that_is_cancelled_before_it_was_decided_ended_then(ledger: Ledger, event: Event) -> None:
    placed = an_order(event)
    ledger.cancel(placed.order_id, placed, IN_TIME)
    trace = ledger.trace(placed.order_id)
    assert trace.order is not None
    assert trace.ended_at == trace.order.decided_at == IN_TIME


def test_an_expired_order_ended_when_it_did_until_late_money_revives_it(ledger: Ledger, event: Event) -> None:
    placed = ordered(ledger, event)
    assert ledger.expire_due(LATE, 10) == {event.id: 1}
    assert ledger.trace(placed.order_id).ended_at == LATE
    assert ledger.pay(a_notice(placed), LATE).state is PaymentState.APPLIED
    assert ledger.trace(placed.order_id).ended_at is None
    ledger.cancel(placed.order_id, None, LATE + timedelta(seconds=1))
    assert ledger.trace(placed.order_id).ended_at == LATE + timedelta(seconds=1)


def test_times_are_in_utc_whatever_the_database_believes(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'".encode())
        order_id = str(uuid4())
        write(connection, a_letter("m-1", order_id=order_id), a_failure("m-1"))
    with ledger_at(database) as ledger:
        trace = ledger.trace(order_id)
        assert trace.letters == tuple(ledger.letters([order_id], "", 1))
        assert {trace.letters[0].recorded_at.isoformat(), trace.attempts[0].failed_at.isoformat()} == {
            "2026-06-01T12:00:00+00:00"
        }
        assert replace(trace, letters=(), attempts=()) == Trace()
