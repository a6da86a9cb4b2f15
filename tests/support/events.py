"""Builds events and orders for tests: valid unless told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.model import Event, OrderIntent, TicketType, Wanted
from chalicelib.order_ids import new_order_id

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)


def an_event(event_id: int = 1, capacities: tuple[int, ...] = (10,), **terms: Any) -> Event:
    """An event whose ticket types have ids `event_id` x 10 + 1, 2, … and cost 500, 600 and so on."""
    types = tuple(
        TicketType(event_id * 10 + number, f"Type {number}", 400 + 100 * number, capacity)
        for number, capacity in enumerate(capacities, start=1)
    )
    fields: dict[str, Any] = {"version": 1, "created_at": NOON, "updated_at": NOON, "currency": "EUR"}
    return Event(id=event_id, name="Concert", description="", ticket_types=types, **(fields | terms))


def an_intent(
    quantity: int = 1,
    *,
    event_id: int = 1,
    user: str = "ann",
    type_id: int | None = None,
    key: str | None = None,
    client: str = "",
) -> OrderIntent:
    """One line in one order, in the short form unless `type_id` is given; `key` is its idempotency key."""
    intent = replace(an_order_for((type_id, quantity), event_id=event_id, user=user), client=client)
    return intent if key is None else replace(intent, idempotency_key=key, request_digest=f"{quantity}x")


def an_order_for(*lines: tuple[int | None, int], event_id: int = 1, user: str = "ann") -> OrderIntent:
    """An order with one line for each (ticket type id, quantity)."""
    wanted = tuple(Wanted(type_id, quantity) for type_id, quantity in lines)
    order_id = new_order_id(event_id, NOON_MS)
    return OrderIntent(order_id=order_id, event_id=event_id, user_id=user, wanted=wanted)
