"""Which stretch of time a report is about, and how finely it is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from infra.report import window
from infra.report.gathered import Series, Window

OPENS = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
AT = OPENS.timestamp()
NOW = OPENS + timedelta(hours=1)


def minutes(*counts: int) -> Series:
    """Attempts in each minute from the opening."""
    return Series(tuple(AT + 60 * n for n in range(len(counts))), tuple(map(float, counts)))


def test_a_rush_ends_with_its_last_busy_minute() -> None:
    found = window.rush(minutes(9_000, 4_000, 300, 20, 3, 0, 1), OPENS, OPENS + timedelta(seconds=40), NOW)
    assert found == Window(OPENS, OPENS + timedelta(minutes=3))


def test_a_crowd_before_the_opening_belongs_to_it() -> None:
    early = Series((AT - 120, AT - 60, AT), (500.0, 800.0, 9_000.0))
    assert window.rush(early, OPENS, None, NOW).starts_at == OPENS - timedelta(minutes=2)


def test_a_slow_sale_lasts_until_the_last_ticket_however_few_ask() -> None:
    sold_out_at = OPENS + timedelta(minutes=30, seconds=20)
    found = window.rush(minutes(9_000, 10), OPENS, sold_out_at, NOW)
    assert found.ends_at == OPENS + timedelta(minutes=31)


def test_without_metrics_it_is_from_the_first_accept_to_the_last_ticket_or_to_now() -> None:
    sold_out_at = OPENS + timedelta(seconds=90)
    assert window.rush(Series(), OPENS, sold_out_at, NOW).seconds == 120
    assert window.rush(Series(), OPENS, None, NOW).ends_at == NOW


def test_it_is_never_longer_than_a_day() -> None:
    late = NOW + timedelta(days=9)
    assert window.rush(Series(), OPENS, None, late).seconds == 86_400
    assert window.probe(OPENS, late).seconds == 86_400


@pytest.mark.parametrize(
    ("length", "age", "period"),
    [
        (timedelta(minutes=1), timedelta(minutes=5), 1),
        (timedelta(minutes=20), timedelta(hours=1), 5),
        (timedelta(minutes=1), timedelta(hours=4), 60),
        (timedelta(minutes=1), timedelta(days=20), 300),
        (timedelta(minutes=1), timedelta(days=100), 3_600),
        (timedelta(days=1), timedelta(days=1), 300),
    ],
    ids=str,
)
def test_the_period_is_what_cloudwatch_still_has_and_a_chart_can_show(
    length: timedelta, age: timedelta, period: int
) -> None:
    assert window.period_seconds(Window(OPENS, OPENS + length), OPENS + age) == period


@pytest.mark.parametrize("seconds", [60, 61, 179, 3_600, 7_260, 20_000])
def test_one_bucket_holds_the_whole_window(seconds: int) -> None:
    span = Window(OPENS + timedelta(seconds=17), OPENS + timedelta(seconds=17 + seconds))
    found = window.one_bucket(span)
    assert found is not None
    starts_at, period = found
    assert period % 60 == 0
    assert starts_at.timestamp() % period == 0
    assert starts_at <= span.starts_at
    assert span.ends_at <= starts_at + timedelta(seconds=period)


def test_a_long_window_is_asked_for_in_parts_that_lie_end_to_end() -> None:
    assert window.parts(Window(OPENS, NOW), 3_600) == [Window(OPENS, NOW)]
    long = Window(OPENS + timedelta(seconds=20), OPENS + timedelta(hours=12, seconds=5))
    found = window.parts(long, 18_000)
    assert [part.seconds for part in found] == [18_000, 18_000, 18_000]
    assert found[0].starts_at == OPENS
    assert found[-1].ends_at >= long.ends_at
    assert all(before.ends_at == after.starts_at for before, after in pairwise(found))


def test_a_window_of_two_days_has_no_such_bucket() -> None:
    assert window.one_bucket(Window(OPENS, OPENS + timedelta(days=2))) is None
