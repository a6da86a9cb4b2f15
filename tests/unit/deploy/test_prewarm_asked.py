"""What may be raised, and what is refused with a sentence that says what to do instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.prewarm.asked import Refused, Wish, fits, opening, store_windows, window, window_from_now
from infra.prewarm.provisioned import Failed, State, wait
from infra.prewarm.room import KEPT_UNRESERVED, Room, carries, most, ramp_minutes, too_late
from infra.prewarm.stores import Stores
from infra.prewarm.windows import Window

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EIGHT = NOON + timedelta(hours=8)
ROOM = Room(limit=1_000, unreserved=1_000, reserved=None, provisioned=0, split=False)


def wish(concurrency: int = 500, opens_at: datetime = EIGHT, before_minutes: float = 10) -> Wish:
    return Wish(
        event=7,
        opens_at=opens_at,
        concurrency=concurrency,
        before=timedelta(minutes=before_minutes),
        after=timedelta(minutes=30),
    )


def windows(amount: int) -> tuple[Window, ...]:
    return (Window(event=7, amount=amount, raise_at=NOON, lower_at=EIGHT),)


def with_room(**other: object) -> Room:
    given = {"limit": 1_000, "unreserved": 1_000, "reserved": None, "provisioned": 0, "split": False}
    return Room(**{**given, **other})  # type: ignore[arg-type]


def test_an_event_opens_when_the_service_says_so() -> None:
    assert opening({"id": 7, "salesOpenAt": "2026-11-28T20:00:00Z"}) == EIGHT


def test_an_event_that_is_on_sale_already_has_no_such_time() -> None:
    with pytest.raises(Refused, match=r"Event 7 has no salesOpenAt.*give --at, or --now"):
        opening({"id": 7, "salesOpenAt": None})


def test_a_window_that_has_begun_is_raised_by_now() -> None:
    with pytest.raises(Refused, match="give --now"):
        window(wish(), EIGHT - timedelta(minutes=5))


def test_a_window_that_is_over_is_refused() -> None:
    with pytest.raises(Refused, match="That is over"):
        window(wish(), EIGHT + timedelta(hours=1))


def test_more_environments_than_can_be_made_in_time_are_refused() -> None:
    with pytest.raises(Refused, match="give --minutes-before 11 or more"):
        window(wish(60_000), NOON)
    assert window(wish(54_000), NOON).amount == 54_000


def test_raising_by_hand_long_before_it_opens_is_refused() -> None:
    with pytest.raises(Refused, match="leave --now out"):
        window_from_now(wish(), NOON)
    soon = window_from_now(wish(), EIGHT - timedelta(hours=1))
    assert soon.lower_at == EIGHT + timedelta(minutes=30)


def test_raising_by_hand_after_it_has_opened_still_has_an_end() -> None:
    late = EIGHT + timedelta(minutes=20)
    assert window_from_now(wish(), late).lower_at == late + timedelta(minutes=30)


def test_exactly_what_the_account_has_left_may_be_raised() -> None:
    assert most(ROOM) == 1_000 - KEPT_UNRESERVED
    fits("onsale-demo", windows(900), ROOM, None)
    with pytest.raises(Refused, match=r"ask for 1,001 in Service Quotas .*L-B99A9384"):
        fits("onsale-demo", windows(901), ROOM, None)


def test_what_is_provisioned_already_is_no_second_need() -> None:
    fits("onsale-demo", windows(900), with_room(unreserved=100, provisioned=900), None)


def test_a_function_with_a_reservation_has_no_more_than_that() -> None:
    with pytest.raises(Refused, match="set door_reserved_concurrency to 501"):
        fits("onsale-demo", windows(501), with_room(reserved=500), None)
    fits("onsale-demo", windows(500), with_room(reserved=500), None)


def test_events_that_overlap_need_room_together() -> None:
    with pytest.raises(Refused, match="1,000 of onsale-demo"):
        fits("onsale-demo", (*windows(500), *windows(500)), ROOM, None)


def test_an_alias_that_a_release_has_split_is_not_raised_at_once() -> None:
    with pytest.raises(Refused, match="a deployment is under way"):
        fits("onsale-demo", windows(5), with_room(split=True), NOON)
    fits("onsale-demo", windows(5), with_room(split=True), None)


def test_the_stores_are_raised_an_hour_earlier_and_lowered_with_the_door() -> None:
    made = window(wish(), NOON)
    cache, cluster = store_windows(made, Stores(ecpu=12_000, half_acu=5))
    assert (cache.amount, cluster.amount) == (12_000, 5)
    assert made.raise_at - cache.raise_at == timedelta(hours=1)
    assert cache.lower_at == cluster.lower_at == made.lower_at


def test_lambda_makes_six_thousand_environments_a_minute() -> None:
    assert [ramp_minutes(count) for count in (1, 6_000, 6_001)] == [1, 1, 2]
    assert too_late(6_000, 2) is None
    assert too_late(6_000, 1) is not None
    assert "up to 5,000 requests a second" in carries(500)


def states(*there: int, settled_at: int) -> list[State]:
    return [State(asked=settled_at, there=each, settled=each == settled_at) for each in there]


def test_waiting_tells_every_reading_and_ends_when_all_are_ready() -> None:
    readings = iter(states(0, 40, 100, settled_at=100))
    seen: list[int] = []
    pauses: list[None] = []
    end = wait(lambda: next(readings), lambda state: seen.append(state.there), lambda: pauses.append(None))
    assert (seen, end.there, len(pauses)) == ([0, 40, 100], 100, 2)


def test_waiting_ends_when_lambda_gives_up() -> None:
    def failing() -> State:
        raise Failed("FUNCTION_ERROR_INIT_FAILURE")

    with pytest.raises(Failed, match="INIT_FAILURE"):
        wait(failing, lambda _: None, lambda: None)
