"""Order ids: sortable, unique enough, and telling which event they belong to."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.order_ids import accepted_ms, event_of, new_order_id

event_ids = st.integers(1, 2**31 - 1)
moments = st.integers(0, 2**48 - 1)


@given(event_ids, moments)
def test_an_order_id_is_a_uuid7_that_names_its_event_and_its_time(event_id: int, now_ms: int) -> None:
    order_id = new_order_id(event_id, now_ms)
    assert (uuid.UUID(order_id).version, uuid.UUID(order_id).variant) == (7, uuid.RFC_4122)
    assert str(uuid.UUID(order_id)) == order_id
    assert (event_of(order_id), accepted_ms(order_id)) == (event_id, now_ms)


@given(event_ids, moments, moments)
def test_order_ids_sort_by_time(event_id: int, first: int, second: int) -> None:
    if first < second:
        assert new_order_id(event_id, first) < new_order_id(event_id, second)


def test_a_thousand_ids_of_one_millisecond_differ() -> None:
    assert len({new_order_id(1, 0) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "not-an-order-id",
        "018f2f5e-0000-4000-8000-000000000001",  # another version
        "018f2f5e-0000-7000-0000-000000000001",  # another variant
        "018f2f5e-0000-7000-8000-000000000000",  # event 0
        "018F2F5E-0000-7000-8000-000000000001",  # capitals
        "018f2f5e000070008000-0000-00000-0001",  # hyphens elsewhere
        "018f2f5e-0000-7000-8000-00000000000é",
    ],
)
def test_anything_else_is_not_an_order_id(text: str) -> None:
    with pytest.raises(ValueError, match="not an order id"):
        event_of(text)
