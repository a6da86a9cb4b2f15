"""What a batch says: new answers by event and reason, no line too long, nothing told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.batch_lines import NO_EVENT, BatchFacts, new_answers, tell
from chalicelib.model import OrderStatus
from chalicelib.rules import Decision, Outcome
from tests.support.batches import an_order_of
from tests.support.emf import faults, metric_lines, points, total
from tests.support.events import NOON, NOON_MS

FACTS = BatchFacts(size=3, apply_seconds=0.0041, conflicts=2, retries=1)


def an_outcome(
    event_id: int = 7,
    status: OrderStatus = OrderStatus.CONFIRMED,
    reason: str | None = None,
    *,
    known: bool = False,
    waited_ms: int = 250,
) -> Outcome:
    placed = replace(an_order_of(event_id, (1, 1)), accepted_at_ms=NOON_MS - waited_ms)
    return Outcome(placed.order_id, event_id, status, reason, placed, known)


def decided(*outcomes: Outcome, later_seconds: int = 0) -> Decision:
    return Decision(outcomes, (), (), NOON + timedelta(seconds=later_seconds))


def test_how_a_batch_went_is_told_even_when_nothing_was_decided(capfd: pytest.CaptureFixture[str]) -> None:
    tell([], FACTS, breaker_open=True)
    (line,) = metric_lines(capfd.readouterr().out)
    assert faults(line) == []
    assert {point.name: point.values for point in points([line])} == {
        "BatchSize": (3,),
        "ApplyLatency": (4.1,),
        "VersionConflicts": (2,),
        "Retries": (1,),
        "BreakerOpen": (1,),
    }


def test_a_large_batch_goes_in_lines_of_a_hundred_and_counts_once(capfd: pytest.CaptureFixture[str]) -> None:
    tell([decided(*(an_outcome() for _ in range(250)))], FACTS, breaker_open=False)
    _, *said = metric_lines(capfd.readouterr().out)
    assert [faults(line) for line in said] == [[], [], []]
    assert [len(line["DecideLatency"]) for line in said] == [100, 100, 50]
    assert total(said, "Confirmed", Stage="local", EventId="7") == 250
    assert {value for line in said for value in line["DecideLatency"]} == {250}


def test_each_part_of_a_batch_is_timed_by_its_own_decision() -> None:
    parts = [decided(an_outcome(waited_ms=100)), decided(an_outcome(waited_ms=100), later_seconds=1)]
    (answers,) = new_answers(parts).values()
    assert answers.latencies_ms == [100, 1_100]


def test_a_clock_that_is_behind_makes_no_order_faster_than_at_once() -> None:
    (answers,) = new_answers([decided(an_outcome(waited_ms=-40))]).values()
    assert answers.latencies_ms == [0]


def test_what_was_known_before_is_not_told_again() -> None:
    assert new_answers([decided(an_outcome(known=True), an_outcome(known=True))]) == {}


def test_a_number_that_is_no_event_makes_no_metric_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    rejected = [an_outcome(event_id, OrderStatus.REJECTED, NO_EVENT) for event_id in (404, 405)]
    tell([decided(*rejected)], FACTS, breaker_open=False)
    said = metric_lines(capfd.readouterr().out)
    assert total(said, "Rejected", Stage="local", Code=NO_EVENT) == 2
    assert [point for point in points(said) if "EventId" in point.dimensions] == []
