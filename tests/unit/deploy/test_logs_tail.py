"""Following a log: no event twice, none left out, though some come late."""

from __future__ import annotations

from random import Random

import pytest

from infra.logs.tail import LATE_MS, Event, Tail


def event(name: str, at_ms: int, function: str = "door") -> Event:
    return Event(id=name, function=function, at_ms=at_ms, text=name)


def test_an_event_is_news_once() -> None:
    tail = Tail(since_ms=0)
    first = [event("a", 10), event("b", 20)]
    assert tail.fresh(30, first) == first
    assert tail.fresh(40, [*first, event("c", 35)]) == [event("c", 35)]


def test_events_of_all_functions_are_told_in_the_order_of_their_times() -> None:
    told = Tail(since_ms=0).fresh(30, [event("a", 10), event("c", 20), event("b", 15, "fulfil")])
    assert [each.id for each in told] == ["a", "b", "c"]


def test_the_same_id_in_two_functions_is_two_events() -> None:
    assert len(Tail(since_ms=0).fresh(30, [event("a", 10), event("a", 10, "fulfil")])) == 2


def test_what_was_not_asked_for_is_not_news() -> None:
    assert Tail(since_ms=100).fresh(200, [event("a", 99)]) == []


def test_an_event_that_comes_late_is_told() -> None:
    tail = Tail(since_ms=0)
    tail.fresh(100_000, [event("b", 99_000)])
    assert tail.since_ms <= 45_000
    assert tail.fresh(102_000, [event("b", 99_000), event("a", 45_000)]) == [event("a", 45_000)]


def test_a_poll_that_failed_leaves_no_gap() -> None:
    tail = Tail(since_ms=0)
    tail.fresh(100_000, [])
    asked_from = tail.since_ms
    assert tail.fresh(900_000, [event("a", 110_000)]) == [event("a", 110_000)]
    assert asked_from <= 110_000


def test_what_is_remembered_does_not_grow_with_the_log() -> None:
    tail = Tail(since_ms=0)
    for second in range(1_000):
        tail.fresh(second * 1_000, [event(str(second), second * 1_000)])
    assert len(tail._had) <= LATE_MS / 1_000 + 1


def polled(seed: int, kept_back_ms: int, late_ms: int) -> tuple[list[str], list[str]]:
    """A log of 500 lines that become readable up to `kept_back_ms` late, followed; what was told, and all."""
    chance = Random(seed)
    lines = [(event(str(n), n * 700), n * 700 + chance.randrange(kept_back_ms)) for n in range(500)]
    tail, told = Tail(since_ms=0), []
    for now in range(0, 600_000, 2_000):
        readable = [each for each, when in lines if when <= now and each.at_ms >= tail.since_ms]
        told += [each.id for each in tail.fresh(now + (LATE_MS - late_ms), readable)]
    return sorted(told, key=int), [str(n) for n in range(500)]


@pytest.mark.parametrize("seed", range(5))
def test_every_line_is_told_once_however_late_within_the_window(seed: int) -> None:
    told, every = polled(seed, kept_back_ms=LATE_MS - 2_000, late_ms=LATE_MS)
    assert told == every


def test_without_a_window_late_lines_would_be_missed() -> None:
    told, every = polled(0, kept_back_ms=LATE_MS - 2_000, late_ms=0)
    assert set(told) < set(every)
