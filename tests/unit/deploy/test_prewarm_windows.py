"""What is raised is always lowered: the schedule of one event, of several, of any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from infra.prewarm.windows import (
    AGAIN,
    Action,
    Window,
    actions,
    around,
    changes,
    level,
    peak,
    windows_of,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EIGHT = NOON + timedelta(hours=8)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def window(event: int, amount: int, opens_at: datetime = EIGHT) -> Window:
    return around(event, opens_at, minutes(10), minutes(30), amount)


def played(todo: tuple[Action, ...], until: datetime, *, lost: frozenset[str] = frozenset()) -> int:
    """What there is at `until`, when everything but `lost` happened at its time."""
    amount = 0
    for action in sorted(todo, key=lambda action: action.at):
        if action.at <= until and action.name not in lost:
            amount = action.amount
    return amount


def test_an_event_is_raised_before_it_opens_and_lowered_after() -> None:
    todo = actions([window(7, 500)], NOON)
    assert [(action.at - EIGHT, action.amount) for action in todo] == [
        (minutes(30) + AGAIN, 0),
        (minutes(30), 0),
        (minutes(-10), 500),
    ]


def test_what_lowers_is_put_before_what_raises() -> None:
    made = changes({}, [window(7, 500), window(8, 90)], NOON)
    words = [action.name.rsplit("-", 1)[-1] for action in made.put]
    assert words.index("raise") == len(words) - 2


def test_a_second_time_nothing_changes() -> None:
    there = {action.name: action for action in actions([window(7, 500)], NOON)}
    made = changes(there, windows_of(there, NOON), NOON)
    assert (made.put, made.delete) == ((), ())


def test_another_amount_replaces_the_actions_and_the_old_raise_goes_first() -> None:
    there = {action.name: action for action in actions([window(7, 500)], NOON)}
    made = changes(there, [window(7, 800)], NOON)
    assert {action.amount for action in made.put} == {0, 800}
    assert made.delete[0].endswith("-raise")
    assert set(made.delete) == set(there)


def test_actions_of_others_are_left_alone() -> None:
    foreign = Action(name="nightly", at=EIGHT, amount=3)
    assert changes({"nightly": foreign}, [], NOON).delete == ()
    assert windows_of(["nightly"], NOON) == ()


def test_two_crowds_at_once_have_what_each_needs() -> None:
    both = [window(7, 500), window(8, 300, EIGHT + minutes(20))]
    assert peak(both) == 800
    assert level(both, EIGHT + minutes(35)) == 300
    todo = actions(both, NOON)
    assert played(todo, EIGHT + minutes(15)) == 800
    assert played(todo, EIGHT + minutes(35)) == 300
    assert played(todo, EIGHT + minutes(51)) == 0


def test_one_action_of_a_window_is_enough_to_know_it() -> None:
    made = window(7, 500)
    for action in actions([made], NOON):
        assert windows_of([action.name], NOON) == (made,)


def test_the_second_lowering_survives_whatever_is_scheduled_after_the_first() -> None:
    names = {action.name: action for action in actions([window(7, 500)], NOON)}
    later = EIGHT + minutes(31)
    made = changes(names, [*windows_of(names, later), window(8, 90, EIGHT + minutes(240))], later)
    assert not [name for name in made.delete if name.endswith("again")]


def test_a_window_that_is_over_is_forgotten_and_its_rest_removed() -> None:
    names = {action.name: action for action in actions([window(7, 500)], NOON)}
    later = EIGHT + minutes(31) + AGAIN
    assert windows_of(names, later) == ()
    assert set(changes(names, windows_of(names, later), later).delete) == set(names)


def test_times_are_whole_seconds_in_utc() -> None:
    from zoneinfo import ZoneInfo

    opens = datetime(2026, 11, 28, 21, 0, 0, 700_000, tzinfo=ZoneInfo("Europe/Berlin"))
    assert window(7, 5, opens) == window(7, 5, EIGHT)


def any_windows(chance: Random) -> list[Window]:
    return [
        around(
            event,
            NOON + minutes(chance.randrange(60, 600)),
            minutes(chance.randrange(1, 60)),
            minutes(chance.randrange(1, 120)),
            chance.randrange(1, 5_000),
        )
        for event in range(1, chance.randrange(2, 8))
    ]


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_scheduled_follows_the_need_and_ends_at_nothing(seed: int) -> None:
    windows = any_windows(Random(seed))
    todo = actions(windows, NOON)
    for minute in range(0, 900, 7):
        assert played(todo, NOON + minutes(minute)) == level(windows, NOON + minutes(minute))
    assert played(todo, NOON + timedelta(days=2)) == 0


@pytest.mark.parametrize("seed", range(50))
def test_one_lowering_that_is_lost_leaves_nothing_on(seed: int) -> None:
    todo = actions(any_windows(Random(seed)), NOON)
    for lost in todo:
        assert played(todo, NOON + timedelta(days=2), lost=frozenset({lost.name})) == 0


def test_without_the_second_lowering_a_lost_one_would_leave_it_on() -> None:
    once = tuple(action for action in actions([window(7, 500)], NOON) if "again" not in action.name)
    lost = next(action.name for action in once if action.amount == 0)
    assert played(once, NOON + timedelta(days=2), lost=frozenset({lost})) == 500
