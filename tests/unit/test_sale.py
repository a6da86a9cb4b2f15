"""The frame of a sell curve, and what is put into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ops.sale import BUCKETS_AT_MOST, frame
from tests.support.events import NOON


@pytest.mark.parametrize(
    ("seconds", "size", "count"),
    [(1, 1, 1), (300, 1, 300), (301, 5, 61), (1_500, 5, 300), (3_000, 10, 300), (18_000, 60, 300)],
)
def test_buckets_are_as_fine_as_a_chart_can_show(seconds: int, size: int, count: int) -> None:
    found = frame(seconds, NOON)
    assert (found.bucket_seconds, found.buckets) == (size, count)
    assert found.ends_at == NOON


def test_buckets_do_not_move_while_time_goes_on() -> None:
    looks = {frame(600, NOON + timedelta(milliseconds=ms)) for ms in range(1, 5_001, 500)}
    assert [look.ends_at for look in looks] == [NOON + timedelta(seconds=5)]


MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(st.integers(1, 18_000), MOMENTS)
def test_any_frame_is_bounded_and_holds_what_was_asked_for(seconds: int, ends_at: datetime) -> None:
    found = frame(seconds, ends_at)
    assert 0 < found.buckets <= BUCKETS_AT_MOST
    assert found.buckets * found.bucket_seconds >= seconds
    assert found.starts_at.timestamp() % found.bucket_seconds == 0
    if 2000 <= ends_at.year < 2100:
        late = found.ends_at - ends_at
        assert timedelta(0) <= late < timedelta(seconds=found.bucket_seconds)
