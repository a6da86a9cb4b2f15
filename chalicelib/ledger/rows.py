"""Turns rows of queries.sql into the words of the model. Times come out in UTC whatever the session says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.model import Event, Item, Order, OrderStatus, TicketType

_ticket_types = msgspec.json.Decoder(tuple[TicketType, ...]).decode
_items = msgspec.json.Decoder(tuple[Item, ...]).decode


def event_of_row(row: tuple[Any, ...]) -> Event:
    """Reads a row of create_event or read_events."""
    (event_id, name, description, currency, starts_at, open_at, close_at, per_order, per_buyer) = row[:9]
    version, created_at, updated_at, ticket_types = row[9:]
    return Event(
        id=event_id,
        name=name,
        description=description,
        currency=currency,
        ticket_types=_ticket_types(ticket_types or "[]"),
        starts_at=_utc(starts_at),
        sales_open_at=_utc(open_at),
        sales_close_at=_utc(close_at),
        max_per_order=per_order,
        max_per_buyer=per_buyer,
        version=version,
        created_at=created_at.astimezone(UTC),
        updated_at=updated_at.astimezone(UTC),
    )


def order_of_row(row: tuple[Any, ...]) -> Order:
    """Reads a row of read_orders."""
    (order_id, event_id, user_id, items, status, total_price, currency, accepted_at, reason, decided_at) = row
    return Order(
        id=order_id,
        event_id=event_id,
        user_id=user_id,
        items=_items(items),
        status=OrderStatus(status),
        total_price=total_price,
        currency=currency,
        accepted_at=accepted_at.astimezone(UTC),
        reason=reason,
        decided_at=_utc(decided_at),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
