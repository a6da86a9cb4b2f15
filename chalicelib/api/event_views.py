"""What callers are shown of events. Pure: values in, values out, the time is handed in."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.api.answers import Output, utc
from chalicelib.model import Event, LatePayment, SalesState


class TicketTypeView(Output, frozen=True):
    """One kind of ticket; `available` is what the ledger has not sold."""

    id: int
    name: str
    price: int
    capacity: int
    available: int


class EventView(Output, frozen=True, kw_only=True):
    """An event, with sales as the ledger knows them."""

    id: int
    name: str
    description: str
    total_tickets: int
    available_tickets: int
    ticket_types: list[TicketTypeView]
    currency: str
    starts_at: datetime | None
    sales_open_at: datetime | None
    sales_close_at: datetime | None
    max_per_order: int | None
    max_per_buyer: int | None
    max_cancellations: int | None
    buyer_rate_limit: int | None
    client_rate_limit: int | None
    hold_seconds: int
    late_payment: LatePayment
    sales_state: SalesState
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


class EventPage(Output, frozen=True):
    """Events by ascending id. `nextCursor` is null on the last page."""

    items: list[EventView]
    next_cursor: str | None


class AvailableView(Output, frozen=True):
    """Tickets of one type that can still be asked for."""

    id: int
    available: int


class AvailabilityView(Output, frozen=True):
    """What the gate can still give; less than the event's own figures by the orders on their way."""

    event_id: int
    sold_out: bool
    ticket_types: list[AvailableView]
    as_of: datetime


def event_status(event: Event, now: datetime) -> str:
    """Says how the sale stands at `now`: closed, else scheduled, else paused, else on-sale or sold-out."""
    over = event.sales_close_at is not None and now >= event.sales_close_at
    if over or event.sales_state is SalesState.CLOSED:
        return "closed"
    if event.sales_open_at is not None and now < event.sales_open_at:
        return "scheduled"
    if event.sales_state is SalesState.PAUSED:
        return "paused"
    return "on-sale" if any(ticket_type.unsold > 0 for ticket_type in event.ticket_types) else "sold-out"


def event_view(event: Event, now: datetime) -> EventView:
    """Shows an event as it stands at `now`."""
    types = event.ticket_types
    return EventView(
        id=event.id,
        name=event.name,
        description=event.description,
        total_tickets=sum(ticket_type.capacity for ticket_type in types),
        available_tickets=sum(ticket_type.unsold for ticket_type in types),
        ticket_types=[
            TicketTypeView(
                id=kind.id, name=kind.name, price=kind.price, capacity=kind.capacity, available=kind.unsold
            )
            for kind in types
        ],
        currency=event.currency,
        starts_at=utc(event.starts_at),
        sales_open_at=utc(event.sales_open_at),
        sales_close_at=utc(event.sales_close_at),
        max_per_order=event.max_per_order,
        max_per_buyer=event.max_per_buyer,
        max_cancellations=event.max_cancellations,
        buyer_rate_limit=event.buyer_rate_limit,
        client_rate_limit=event.client_rate_limit,
        hold_seconds=event.hold_seconds,
        late_payment=event.late_payment,
        sales_state=event.sales_state,
        status=event_status(event, now),
        version=event.version,
        created_at=event.created_at.astimezone(UTC),
        updated_at=event.updated_at.astimezone(UTC),
    )
