"""What a replay would do: every verdict, and that messages are decided together as a replay decides them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.model import OrderPlaced, OrderStatus
from chalicelib.rules import Lot, Recorded, Snapshot, Tally, foresee
from tests.support.batches import an_order_of
from tests.support.events import NOON

EVENT, TYPE = 1, 11


def world(unsold: int = 10, **changes: Any) -> Snapshot:
    """One event with one ticket type."""
    empty = Snapshot(
        lots={TYPE: Lot(EVENT, unsold, 1)},
        buyer_limits={EVENT: None},
        hold_seconds={},
        cancellation_limits={},
        tallies={},
        recorded={},
        keys={},
    )
    return replace(empty, **changes)


def told(snapshot: Snapshot, *orders: OrderPlaced | str) -> list[tuple[str, str]]:
    messages = {f"m{place}": order for place, order in enumerate(orders)}
    return [(each.verdict.value, each.detail) for each in foresee(messages, snapshot, NOON).values()]


def order(quantity: int = 1, **changes: Any) -> OrderPlaced:
    return an_order_of(EVENT, (TYPE, quantity), **changes)


def test_an_order_that_can_be_sold_is_valid() -> None:
    assert told(world(), order()) == [("valid", "confirmed")]
    assert told(world(hold_seconds={EVENT: 60}), order()) == [("valid", "reserved")]


@pytest.mark.parametrize(
    ("status", "reason", "verdict"),
    [
        (OrderStatus.CONFIRMED, None, ("already-applied", "confirmed")),
        (OrderStatus.REJECTED, "sold-out", ("already-applied", "sold-out")),
        (OrderStatus.CANCELLED, None, ("already-applied", "cancelled")),
        (OrderStatus.EXPIRED, None, ("hold-expired", "expired")),
    ],
)
def test_an_order_that_has_an_answer_keeps_it(
    status: OrderStatus, reason: str | None, verdict: tuple[str, str]
) -> None:
    placed = order()
    assert told(world(recorded={placed.order_id: Recorded(status, reason)}), placed) == [verdict]


def test_what_would_be_refused_has_its_reason() -> None:
    assert told(world(0), order()) == [("sold-out", "sold-out")]
    assert told(world(1), order(2)) == [("would-be-rejected", "not-enough-tickets")]
    assert told(world(buyer_limits={}), order()) == [("would-be-rejected", "event-not-found")]
    limited = world(buyer_limits={EVENT: 2}, tallies={(EVENT, "ann"): Tally(2, 1)})
    assert told(limited, order(user="ann")) == [("would-be-rejected", "buyer-limit-exceeded")]
    keyed = world(keys={("ann", "k"): "another"})
    assert told(keyed, order(user="ann", key="k")) == [("would-be-rejected", "idempotency-key-reused")]


def test_two_that_want_the_last_ticket_are_not_both_valid_and_two_copies_of_one_are() -> None:
    first, second = order(), order()
    assert told(world(1), first, second) == [("valid", "confirmed"), ("sold-out", "sold-out")]
    assert told(world(1), first, first) == [("valid", "confirmed")] * 2


def test_what_cannot_be_read_takes_nobodys_ticket() -> None:
    assert told(world(1), "truncated", order()) == [("undecodable", "truncated"), ("valid", "confirmed")]
