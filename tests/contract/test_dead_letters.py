"""What every ledger must do with messages that failed: the in-memory twin and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.ledger.ledger import Ledger
from chalicelib.model import DeadLetter, FailedMessage
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import ledger_at
from tests.support.events import NOON

LATER = NOON + timedelta(minutes=1)


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | MemoryLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with ledger_at(request.getfixturevalue("database")) as real:
        yield real


def failed(message_id: str, receive_count: int = 1, reason: str = "a bug", body: str = "{") -> FailedMessage:
    return FailedMessage(message_id=message_id, body=body, reason=reason, receive_count=receive_count)


def test_each_failure_of_a_message_is_counted(ledger: Ledger) -> None:
    assert ledger.count_failures([failed("a"), failed("b")], NOON) == {"a": (1, False), "b": (1, False)}
    assert ledger.count_failures([failed("b"), failed("c")], NOON) == {"b": (2, False), "c": (1, False)}


def test_a_message_that_is_there_twice_failed_once(ledger: Ledger) -> None:
    assert ledger.count_failures([failed("a"), failed("a")], NOON) == {"a": (1, False)}


def test_the_body_and_the_last_failure_are_kept_the_last_message_first(ledger: Ledger) -> None:
    ledger.count_failures([failed("a", body="whole"), failed("b")], NOON)
    ledger.count_failures([failed("a", 7, "another bug", "whole")], LATER)
    kept = DeadLetter(
        message_id="a", body="whole", reason="another bug", receive_count=7, failures=2, recorded_at=LATER
    )
    assert ledger.dead_letters(10)[0] == kept
    assert [each.message_id for each in ledger.dead_letters(10)] == ["a", "b"]
    assert ledger.dead_letters(1) == [kept]


@pytest.mark.parametrize("text", ["", '{"a": \'}\\\n', "\0", "\ud800", "🎫" * 100_000, "NULL"])
def test_any_text_can_be_kept(ledger: Ledger, text: str) -> None:
    assert ledger.count_failures([failed("a", body=text, reason=text)], NOON) == {"a": (1, False)}


def test_what_was_moved_is_known_the_next_time_and_keeps_its_first_time(ledger: Ledger) -> None:
    ledger.count_failures([failed("a"), failed("b")], NOON)
    ledger.mark_moved({"a"}, NOON)
    ledger.mark_moved({"a"}, LATER)
    assert ledger.count_failures([failed("a"), failed("b")], LATER) == {"a": (2, True), "b": (2, False)}
    assert {each.message_id: each.moved_at for each in ledger.dead_letters(9)} == {"a": NOON, "b": None}
