"""Percentiles, shares and rates against values that can be counted on fingers, and against the definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.rush.measures import Latency, latency, latency_of_ns, per_second, percentile, share_within


def test_the_percentiles_of_one_to_a_hundred_are_themselves() -> None:
    assert latency([float(value) for value in range(100, 0, -1)]) == Latency(100, 50, 95, 99, 100)


def test_a_single_value_is_every_percentile() -> None:
    assert latency([7.0]) == Latency(1, 7, 7, 7, 7)


def test_nobody_waiting_is_no_latency() -> None:
    assert latency([]) is None
    assert latency_of_ns([]) is None
    assert share_within([], 1.0) is None


def test_nanoseconds_become_milliseconds() -> None:
    assert latency_of_ns([1_500_000]) == Latency(1, 1.5, 1.5, 1.5, 1.5)


@given(st.lists(st.integers(0, 1_000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[int], percent: int) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)
    assert sum(value < found for value in ordered) * 100 < percent * len(ordered)


def test_a_rate_in_no_time_is_none() -> None:
    assert per_second(10, 0.0) == 0
    assert per_second(10, 4.0) == 2.5


def test_a_share_counts_the_limit_in() -> None:
    assert share_within([1.0, 2.0, 3.0, 4.0], 2.0) == 0.5
