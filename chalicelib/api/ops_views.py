"""What operators and the payment provider are shown: payments, and where every ticket is. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from chalicelib.api.answers import Output
from chalicelib.model import Payment, PaymentOutcome, PaymentState

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
