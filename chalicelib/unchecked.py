"""Accepts an order without the gate, from the event as the ledger has it. Pure.

The terms of the sale hold here as well, by the same words; whether there are tickets, and whether the buyer
may have them, is left to the ledger.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.gate.refusals import refusal
from chalicelib.model import MESSAGE_SCHEMA, Event, Item, OrderIntent, OrderPlaced, SalesState, Wanted


def accept(event: Event, intent: OrderIntent, now: datetime) -> OrderPlaced:
    """Makes the order that the gate would have made at `now`, whatever is left of the tickets.

    Raises Rejected for an event that is not on sale, an order above its limit or a ticket type that it does
    not have; InvalidRequest for the short form where there are several types.
    """
    if closed := _closed(event, now):
        raise refusal(closed)
    items = tuple(_item(event, line) for line in intent.wanted)
    limit = event.max_per_order
    if limit is not None and sum(item.quantity for item in items) > limit:
        raise refusal(f"order-limit-exceeded {limit}")
    return OrderPlaced(
        schema=MESSAGE_SCHEMA,
        order_id=intent.order_id,
        event_id=event.id,
        user_id=intent.user_id,
        currency=event.currency,
        items=items,
        accepted_at_ms=_milliseconds(now),
        idempotency_key=intent.idempotency_key,
        request_digest=intent.request_digest,
    )


def _closed(event: Event, now: datetime) -> str | None:
    if event.sales_state is SalesState.PAUSED:
        return "sale-paused"
    if event.sales_state is SalesState.CLOSED:
        return "sale-closed"
    if event.sales_open_at is not None and now < event.sales_open_at:
        return f"sale-not-open {_milliseconds(event.sales_open_at)}"
    if event.sales_close_at is not None and now >= event.sales_close_at:
        return "sale-closed"
    return None


def _item(event: Event, line: Wanted) -> Item:
    if line.ticket_type_id is None and len(event.ticket_types) > 1:
        raise refusal("ticket-type-required")
    for kind in event.ticket_types:
        if line.ticket_type_id in (None, kind.id):
            return Item(kind.id, line.quantity, kind.price)
    raise refusal(f"ticket-type-not-found {line.ticket_type_id}")


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
