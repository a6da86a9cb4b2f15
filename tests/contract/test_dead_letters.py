"""What every ledger must do with messages that failed, and with what operators did: twin and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Rejected
from chalicelib.ledger.ledger import Ledger
from chalicelib.model import (
    AuditRecord,
    DeadLetter,
    DeadLetterQuery,
    DeadLetterState,
    FailedAttempt,
    FailedMessage,
    SalesState,
)
from chalicelib.order_ids import new_order_id
from chalicelib.rules import decide
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, ledger_at
from tests.support.events import NOON

LATER = NOON + timedelta(minutes=1)
FIRST, SECOND = (new_order_id(7, number) for number in (1, 2))


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | MemoryLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with ledger_at(request.getfixturevalue("database")) as real:
        yield real


def failed(
    message_id: str, receive_count: int = 1, reason: str = "a bug", body: str = "{", **whose: Any
) -> FailedMessage:
    return FailedMessage(
        message_id=message_id, body=body, reason=reason, receive_count=receive_count, **whose
    )


def listed(ledger: Ledger, **narrowed: Any) -> list[DeadLetter]:
    return ledger.dead_letters(DeadLetterQuery(**narrowed))


def ids(letters: list[DeadLetter]) -> list[str]:
    return [each.message_id for each in letters]


def test_each_failure_of_a_message_is_counted(ledger: Ledger) -> None:
    assert ledger.count_failures([failed("a"), failed("b")], NOON) == {"a": (1, False), "b": (1, False)}
    assert ledger.count_failures([failed("b"), failed("c")], NOON) == {"b": (2, False), "c": (1, False)}


def test_a_message_that_is_there_twice_failed_once(ledger: Ledger) -> None:
    assert ledger.count_failures([failed("a"), failed("a")], NOON) == {"a": (1, False)}


def test_the_body_and_the_last_failure_are_kept_the_last_message_first(ledger: Ledger) -> None:
    ledger.count_failures([failed("a", body="whole"), failed("b")], NOON)
    ledger.count_failures([failed("a", 7, "another bug", "whole")], LATER)
    kept = DeadLetter(message_id="a", reason="another bug", receive_count=7, failures=2, recorded_at=LATER)
    assert listed(ledger)[0] == kept
    assert ids(listed(ledger)) == ["a", "b"]
    assert listed(ledger, limit=1) == [kept]
    assert ledger.body_of("a") == "whole"


@pytest.mark.parametrize("text", ["", '{"a": \'}\\\n', "\0", "\ud800", "🎫" * 100_000, "NULL"])
def test_any_text_can_be_kept(ledger: Ledger, text: str) -> None:
    assert ledger.count_failures([failed("a", body=text, reason=text)], NOON) == {"a": (1, False)}


def test_what_was_moved_is_known_the_next_time_and_keeps_its_first_time(ledger: Ledger) -> None:
    ledger.count_failures([failed("a"), failed("b")], NOON)
    ledger.mark_moved({"a"}, NOON)
    ledger.mark_moved({"a"}, LATER)
    assert ledger.count_failures([failed("a"), failed("b")], LATER) == {"a": (2, True), "b": (2, False)}
    assert {each.message_id: each.moved_at for each in listed(ledger)} == {"a": NOON, "b": None}


def test_every_failure_is_kept_with_its_reason_the_last_one_first(ledger: Ledger) -> None:
    ledger.count_failures([failed("a", 3, "first"), failed("b")], NOON)
    ledger.count_failures([failed("a", 5, "second")], LATER)
    assert ledger.failed_attempts("a") == [FailedAttempt(LATER, "second", 5), FailedAttempt(NOON, "first", 3)]
    assert ledger.failed_attempts("unheard of") == []
    assert ledger.body_of("unheard of") is None


def test_whose_a_message_is_stays_known_when_it_is_read_once(ledger: Ledger) -> None:
    ledger.count_failures([failed("a", order_id=FIRST, event_id=7, user_id="ann")], NOON)
    ledger.count_failures([failed("a"), failed("b")], LATER)
    assert [(each.order_id, each.event_id, each.user_id) for each in listed(ledger)] == [
        (None, None, None),
        (FIRST, 7, "ann"),
    ]


def test_a_list_is_narrowed_by_event_buyer_reason_state_and_message(ledger: Ledger) -> None:
    ledger.count_failures(
        [
            failed("a", reason="KeyError: 1", order_id=FIRST, event_id=7, user_id="ann"),
            failed("b", reason="100% wrong_", order_id=SECOND, event_id=8, user_id="ann"),
            failed("c", reason="undecodable"),
        ],
        NOON,
    )
    for narrowed, expected in (
        ({"event_id": 7}, ["a"]),
        ({"user_id": "ann"}, ["b", "a"]),
        ({"user_id": "ann", "event_id": 8}, ["b"]),
        ({"reason": "keyERROR"}, ["a"]),
        ({"reason": "0% WRONG_"}, ["b"]),
        ({"reason": "%"}, ["b"]),
        ({"message_ids": ("c", "a", "unheard of")}, ["c", "a"]),
        ({"message_ids": ()}, []),
        ({"state": DeadLetterState.FAILING}, ["c", "b", "a"]),
        ({"state": DeadLetterState.DEAD}, []),
    ):
        query = DeadLetterQuery(**narrowed)
        assert ids(ledger.dead_letters(query)) == expected, narrowed
        assert ledger.count_dead_letters(query) == len(expected), narrowed


def test_pages_follow_each_other_without_gap_or_repetition(ledger: Ledger) -> None:
    for minute in range(3):
        ledger.count_failures([failed(f"{minute}{name}") for name in "abc"], NOON + timedelta(minutes=minute))
    seen: list[str] = []
    before = None
    while page := listed(ledger, limit=2, before=before):
        seen += ids(page)
        before = page[-1].recorded_at, page[-1].message_id
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 9
    assert ledger.count_dead_letters(DeadLetterQuery(limit=2, before=before)) == 9


def test_a_body_that_is_too_long_for_an_order_is_not_listed(ledger: Ledger) -> None:
    ledger.count_failures([failed("a", body="x" * 65_536), failed("b", body="x" * 65_537)], NOON)
    found = {each.message_id: body for each, body in ledger.dead_letters_with_bodies(DeadLetterQuery())}
    assert found == {"a": "x" * 65_536, "b": ""}
    assert ledger.body_of("b") == "x" * 65_537


def test_a_message_is_failing_dead_redriven_or_deleted(ledger: Ledger) -> None:
    ledger.count_failures([failed(name) for name in "abcd"], NOON)
    ledger.mark_moved(["b", "c", "d"], NOON)
    assert ledger.mark_redriven(["c", "unheard of"], LATER) == 1
    assert ledger.mark_deleted(["d"], LATER) == 1
    states = {each.message_id: each.state.value for each in listed(ledger)}
    assert states == {"a": "failing", "b": "dead", "c": "redriven", "d": "deleted"}
    assert {name: ids(listed(ledger, state=DeadLetterState(state))) for name, state in states.items()} == {
        name: [name] for name in states
    }
    assert ledger.mark_redriven(["c", "d"], LATER) == 0, "what is given up stays so"
    assert ledger.mark_deleted(["d"], LATER) == 0


def test_all_that_sqs_has_moved_is_marked_at_once(ledger: Ledger) -> None:
    ledger.count_failures([failed(name) for name in "abcd"], NOON)
    ledger.mark_moved(["a", "b"], NOON)
    ledger.mark_moved(["c"], LATER)
    ledger.mark_deleted(["b"], LATER)
    assert ledger.mark_all_redriven(NOON, LATER) == 1
    assert {each.message_id: each.state.value for each in listed(ledger)} == {
        "a": "redriven",
        "b": "deleted",
        "c": "dead",
        "d": "failing",
    }


def test_an_order_lies_dead_until_it_is_sent_again_given_up_or_decided(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(10))
    orders = [an_order(event) for _ in range(5)]
    names = dict(zip("abcde", (order.order_id for order in orders), strict=True))
    ledger.count_failures([failed(name, order_id=order_id) for name, order_id in names.items()], NOON)
    assert ledger.have_messages(names.values(), LATER) == frozenset()
    ledger.mark_moved("abcd", NOON)
    assert ledger.have_messages(names.values(), LATER) == {names[name] for name in "abcd"}
    ledger.mark_redriven("a", LATER)
    ledger.mark_deleted("b", LATER)
    assert ledger.cancel_undecided(orders[2], LATER)
    assert ledger.have_messages(names.values(), LATER) == {names["d"]}
    assert ledger.have_messages([], LATER) == frozenset()


def test_a_message_that_failed_lately_is_still_there(ledger: Ledger) -> None:
    order = an_order(ledger.create_event(a_draft(10)))
    ledger.count_failures([failed("m", order_id=order.order_id)], NOON)
    assert ledger.have_messages([order.order_id], NOON) == {order.order_id}
    assert ledger.have_messages([order.order_id], LATER) == frozenset()


def test_an_order_is_cancelled_only_while_it_has_no_answer(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(10))
    undecided, decided = an_order(event), an_order(event)
    with ledger.attempt() as attempt:
        attempt.record(decide([decided], attempt.snapshot([decided]), NOON))
    assert ledger.cancel_undecided(undecided, NOON)
    assert not ledger.cancel_undecided(undecided, LATER)
    assert not ledger.cancel_undecided(decided, NOON)
    answers = [ledger.order(order.order_id) for order in (undecided, decided)]
    assert [order and order.status.value for order in answers] == ["cancelled", "confirmed"]


def test_a_dry_run_sees_whose_an_idempotency_key_is_and_holds_nothing(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(10))
    first, second = an_order(event, user="ann", key="k"), an_order(event, user="ann", key="k")
    with ledger.attempt() as attempt:
        attempt.record(decide([first], attempt.snapshot([first]), NOON))
    with ledger.attempt() as attempt:
        assert attempt.snapshot([second], keyed=True).keys == {("ann", "k"): first.order_id}


def test_what_operators_did_is_listed_newest_first_and_in_pages(ledger: Ledger) -> None:
    records = [
        AuditRecord(NOON + timedelta(microseconds=n), "olga", "sale-paused", "event 1", "why", {"n": [n]})
        for n in range(5)
    ]
    for record in records:
        ledger.record_action(record)
    first = ledger.actions(None, 3)
    rest = ledger.actions(first[-1].id, 3)
    assert [each.detail["n"] for each in [*first, *rest]] == [[4], [3], [2], [1], [0]]
    newest = first[0]
    assert (newest.at, newest.actor, newest.action) == (records[-1].at, "olga", "sale-paused")
    assert (newest.target, newest.reason) == ("event 1", "why")


def test_a_switch_and_its_record_are_one_and_what_was_so_already_has_none(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(10))
    record = AuditRecord(NOON, "olga", "sale-paused", f"event {event.id}")
    assert ledger.switch(event.id, SalesState.PAUSED, record).sales_state is SalesState.PAUSED
    ledger.switch(event.id, SalesState.PAUSED, record)
    ledger.switch(event.id, SalesState.OPEN)
    with pytest.raises(Rejected, match="no event"):
        ledger.switch(404, SalesState.PAUSED, record)
    assert [each.action for each in ledger.actions(None, 9)] == ["sale-paused"]
