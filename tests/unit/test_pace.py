"""When a sale will be sold out, if it goes on like this."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import LOOK_BACK_SECONDS, forecast
from chalicelib.rules.pace import HALF_LIFE_SECONDS, rate
from tests.support.events import NOON

SECONDS = st.lists(st.integers(0, 10_000), max_size=LOOK_BACK_SECONDS)


def test_a_steady_sale_ends_when_its_tickets_do() -> None:
    found = forecast([20] * 60, 600, NOON)
    assert found.tickets_per_second == pytest.approx(20)
    assert found.sold_out_at == NOON + timedelta(seconds=30)


def test_a_sale_that_has_just_begun_is_not_called_slow() -> None:
    assert rate([0] * 58 + [20, 20]) == pytest.approx(20)


def test_nothing_sold_lately_has_no_end() -> None:
    assert forecast([0] * 60, 600, NOON) == forecast([], 600, NOON)
    assert forecast([0] * 60, 600, NOON).sold_out_at is None


@pytest.mark.parametrize("available", [0, -3])
def test_nothing_left_has_no_end_to_come(available: int) -> None:
    assert forecast([20] * 60, available, NOON).sold_out_at is None


def test_a_crowd_that_has_left_is_forgotten_by_half_every_half_life() -> None:
    half_life = int(HALF_LIFE_SECONDS)
    early = rate([20] * 40 + [0] * half_life)
    late = rate([20] * 40 + [0] * 2 * half_life)
    assert late / early == pytest.approx(0.5, rel=0.01)


def test_the_end_of_the_calendar_is_no_end() -> None:
    assert forecast([1] + [0] * 59, 10**15, NOON).sold_out_at is None


@given(SECONDS)
def test_a_rate_lies_between_the_slowest_and_the_fastest_second(sold: list[int]) -> None:
    assert 0 <= rate(sold) <= max(sold, default=0) * (1 + 1e-9)


@given(SECONDS.filter(any), st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_tickets_take_no_shorter(sold: list[int], left: int, more: int) -> None:
    soon, late = forecast(sold, left, NOON).sold_out_at, forecast(sold, left + more, NOON).sold_out_at
    assert late is None or (soon is not None and NOON < soon <= late)


def test_control_a_plain_mean_falls_to_nothing_at_once_where_ours_fades() -> None:
    batch = [1, 100]
    plain = [sum((batch + [0] * age)[-10:]) / 10 for age in range(20)]
    ours = [rate(batch + [0] * age) for age in range(20)]
    assert min(after / before for before, after in pairwise(plain[:11])) == 0
    assert min(after / before for before, after in pairwise(ours)) > 0.4
