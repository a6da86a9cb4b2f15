"""What callers are shown of events and orders. Pure: values in, values out, the time is handed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from chalicelib.model import (
    Event,
    Item,
    LatePayment,
    Order,
    OrderPlaced,
    OrderStatus,
    Payment,
    PaymentOutcome,
    PaymentState,
    SalesState,
)

if TYPE_CHECKING:
    from chalicelib.realign import Conservation

SOURCES = {
    "capacity": "ledger: the ticket types",
    "sold": "ledger: confirmed orders",
    "reserved": "ledger: orders that are held for their payment",
    "pending": "gate: claims of orders that the ledger has not decided",
    "available": "gate: its stock",
    "gap": "capacity - sold - reserved - pending - available",
}
"""Where each figure of the conservation comes from."""
QUEUED = "Your order is queued; its answer will be at the address in Location."


class Output(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Everything shown to a caller, in camelCase."""


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


class OrderAccepted(Output, frozen=True):
    """An order that will be decided shortly."""

    id: str
    event_id: int
    user_id: str
    items: tuple[Item, ...]
    status: OrderStatus
    total_price: int
    currency: str
    accepted_at: datetime
    message: str = QUEUED


class OrderView(Output, frozen=True, kw_only=True):
    """An order with its answer. `reason` is a rejection's problem code; `decidedAt` is null while pending.

    `expiresAt` is the moment until which a reserved order can be paid for.
    """

    id: str
    event_id: int
    user_id: str
    items: tuple[Item, ...]
    status: OrderStatus
    reason: str | UnsetType = UNSET
    total_price: int
    currency: str
    accepted_at: datetime
    decided_at: datetime | None = None
    expires_at: datetime | UnsetType = UNSET


class OrderPage(Output, frozen=True):
    """Orders, newest first. `nextCursor` is null on the last page."""

    items: list[OrderView]
    next_cursor: str | None


class TicketsView(Output, frozen=True):
    """Where tickets are. `gap` is what is in none of these places, below 0 what is in two."""

    capacity: int
    sold: int
    reserved: int
    pending: int
    available: int
    gap: int


class TypeTicketsView(TicketsView, frozen=True):
    """Where the tickets of one type are."""

    id: int


class ConservationView(TicketsView, frozen=True):
    """capacity = sold + reserved + pending + available + gap, at one moment. `sources` says who has it."""

    event_id: int
    ticket_types: list[TypeTicketsView]
    sources: dict[str, str]
    as_of: datetime


class PaymentTaken(Output, frozen=True):
    """A payment event was recorded; `state` says what became of the payment."""

    reference: str
    order_id: str
    state: PaymentState


class PaymentView(Output, frozen=True):
    """A payment as the provider reported it, and what became of it."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: PaymentOutcome
    state: PaymentState
    received_at: datetime


class PaymentPage(Output, frozen=True):
    """Payments, newest first. `nextCursor` is null on the last page."""

    items: list[PaymentView]
    next_cursor: str | None


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
        starts_at=_utc(event.starts_at),
        sales_open_at=_utc(event.sales_open_at),
        sales_close_at=_utc(event.sales_close_at),
        max_per_order=event.max_per_order,
        max_per_buyer=event.max_per_buyer,
        hold_seconds=event.hold_seconds,
        late_payment=event.late_payment,
        sales_state=event.sales_state,
        status=event_status(event, now),
        version=event.version,
        created_at=event.created_at.astimezone(UTC),
        updated_at=event.updated_at.astimezone(UTC),
    )


def order_accepted(placed: OrderPlaced) -> OrderAccepted:
    """Shows an order that the gate has just let in."""
    return OrderAccepted(
        id=placed.order_id,
        event_id=placed.event_id,
        user_id=placed.user_id,
        items=placed.items,
        status=OrderStatus.PENDING,
        total_price=placed.total_price,
        currency=placed.currency,
        accepted_at=datetime.fromtimestamp(placed.accepted_at_ms / 1000, UTC),
    )


def pending_view(placed: OrderPlaced) -> OrderView:
    """Shows an order that the gate still holds a claim for."""
    return OrderView(
        id=placed.order_id,
        event_id=placed.event_id,
        user_id=placed.user_id,
        items=placed.items,
        status=OrderStatus.PENDING,
        total_price=placed.total_price,
        currency=placed.currency,
        accepted_at=datetime.fromtimestamp(placed.accepted_at_ms / 1000, UTC),
    )


def order_view(order: Order) -> OrderView:
    """Shows an order as the ledger has it."""
    return OrderView(
        id=order.id,
        event_id=order.event_id,
        user_id=order.user_id,
        items=order.items,
        status=order.status,
        reason=UNSET if order.reason is None else order.reason,
        total_price=order.total_price,
        currency=order.currency,
        accepted_at=order.accepted_at.astimezone(UTC),
        decided_at=_utc(order.decided_at),
        expires_at=UNSET if order.expires_at is None else order.expires_at.astimezone(UTC),
    )


def payment_view(payment: Payment) -> PaymentView:
    """Shows a payment to an operator."""
    return PaymentView(
        reference=payment.reference,
        order_id=payment.order_id,
        amount=payment.amount,
        currency=payment.currency,
        outcome=payment.outcome,
        state=payment.state,
        received_at=payment.received_at.astimezone(UTC),
    )


def conservation_view(found: Conservation) -> ConservationView:
    """Shows where every ticket of an event is."""
    return ConservationView(
        **asdict(found.total),
        event_id=found.event_id,
        ticket_types=[
            TypeTicketsView(id=type_id, **asdict(tickets)) for type_id, tickets in found.ticket_types.items()
        ],
        sources=SOURCES,
        as_of=found.as_of.astimezone(UTC),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
