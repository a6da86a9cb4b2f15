"""An event and what it sells: ticket types, limits, switches; what is left of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class SalesState(StrEnum):
    """The operator's switch: paused refuses new orders and lets accepted ones finish; closed is for good."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class LatePayment(StrEnum):
    """What an event does with money that comes after the hold has ended."""

    ACCEPT_IF_AVAILABLE = "accept-if-available"
    REFUND = "refund"
    PARK = "park"


class TicketType(msgspec.Struct, frozen=True):
    """One kind of ticket of one event, as the ledger has it. `version` counts its sales updates."""

    id: int
    name: str
    price: int
    capacity: int
    sold: int = 0
    version: int = 0
    reserved: int = 0

    @property
    def unsold(self) -> int:
        """Tickets that the ledger has neither sold nor reserved; orders on their way are not taken off."""
        return self.capacity - self.sold - self.reserved


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A concert on sale. `version` counts edits and is the ETag; None limits mean no limit.

    Rate limits are orders asked for in a minute, by one buyer and from one client's address.
    `max_cancellations` counts a buyer's orders that were given back: cancelled, or left to expire.
    """

    id: int
    name: str
    description: str
    currency: str
    ticket_types: tuple[TicketType, ...]
    starts_at: datetime | None = None
    sales_open_at: datetime | None = None
    sales_close_at: datetime | None = None
    max_per_order: int | None = None
    max_per_buyer: int | None = None
    max_cancellations: int | None = None
    buyer_rate_limit: int | None = None
    client_rate_limit: int | None = None
    hold_seconds: int = 0
    late_payment: LatePayment = LatePayment.REFUND
    sales_state: SalesState = SalesState.OPEN
    organiser_id: str | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class TicketTypeDraft(msgspec.Struct, frozen=True):
    """A ticket type that an organiser asks for; the ledger gives it an id."""

    name: str
    price: int
    capacity: int


class EventDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An event that an organiser asks for, already found valid."""

    name: str
    description: str
    currency: str
    ticket_types: tuple[TicketTypeDraft, ...]
    starts_at: datetime | None = None
    sales_open_at: datetime | None = None
    sales_close_at: datetime | None = None
    max_per_order: int | None = None
    max_per_buyer: int | None = None
    max_cancellations: int | None = None
    buyer_rate_limit: int | None = None
    client_rate_limit: int | None = None
    hold_seconds: int = 0
    late_payment: LatePayment = LatePayment.REFUND
    organiser_id: str | None = None


class Stock(msgspec.Struct, frozen=True):
    """Tickets of one type that the gate can still give."""

    ticket_type_id: int
    available: int


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of one event at one moment; `decided`: those of the asked orders it knows."""

    ticket_types: tuple[TicketType, ...]
    decided: frozenset[str]
