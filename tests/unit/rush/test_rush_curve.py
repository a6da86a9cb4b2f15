"""The sell curve: nothing is lost in its slices, and its picture shows every sale."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.rush.curve import Curve, draw, sell_curve


@given(st.lists(st.floats(0, 10_000_000), max_size=50), st.integers(1, 80))
def test_every_sale_is_in_one_slice_and_the_picture_keeps_its_width(
    moments_ms: list[float], width: int
) -> None:
    curve = sell_curve(moments_ms, width)
    assert sum(curve.confirmed) == len(moments_ms)
    assert len(curve.confirmed) <= width


def test_sales_fall_into_slices_of_round_length() -> None:
    assert sell_curve([0.0, 9.9, 10.0, 55.0], width=10) == Curve(10, (2, 1, 0, 0, 0, 1))


def test_the_tallest_slice_is_full_and_the_smallest_still_shows() -> None:
    assert draw(Curve(10, (800, 1, 0, 400)), height=2) == [
        "800 │█",
        "    │█▁ █",
        "  0 └────",
        "     0 0.04 s",
    ]


def test_without_a_sale_there_is_no_picture() -> None:
    assert draw(sell_curve([])) == []
