"""What was seen of a rush, from all sides: the material of the audit. Plain values and no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

DECIDED = frozenset({"confirmed", "reserved", "rejected", "expired", "cancelled"})
SOLD = frozenset({"confirmed", "reserved"})
"""Statuses whose tickets nobody else may have."""


class ItemSeen(msgspec.Struct, frozen=True, rename="camel"):
    """A line of an order: so many tickets of one type."""

    ticket_type_id: int
    quantity: int


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order as the service lists it or the ledger has it; fields beyond these are not looked at."""

    id: str
    user_id: str
    status: str
    items: tuple[ItemSeen, ...]
    reason: str | None = None
    accepted_at: datetime | None = None
    decided_at: datetime | None = None

    @property
    def quantity(self) -> int:
        """Tickets in the order."""
        return sum(item.quantity for item in self.items)

    @property
    def decided(self) -> bool:
        """Whether the buyer has their answer."""
        return self.status in DECIDED

    @property
    def sold(self) -> bool:
        """Whether its tickets are the buyer's."""
        return self.status in SOLD


class StockSeen(msgspec.Struct, frozen=True):
    """Tickets of one type that are said to be left."""

    id: int
    available: int


class AvailabilitySeen(msgspec.Struct, frozen=True, rename="camel"):
    """The gate's word."""

    sold_out: bool
    ticket_types: tuple[StockSeen, ...]


class TypeSeen(msgspec.Struct, frozen=True):
    """A ticket type as the service shows it."""

    id: int
    capacity: int


class EventSeen(msgspec.Struct, frozen=True, rename="camel"):
    """The event as the service shows it."""

    id: int
    total_tickets: int
    available_tickets: int
    ticket_types: tuple[TypeSeen, ...] = ()


class TicketTypeSeen(msgspec.Struct, frozen=True):
    """A ticket type as the ledger has it."""

    id: int
    capacity: int
    sold: int


class LedgerSeen(msgspec.Struct, frozen=True):
    """One snapshot of the ledger: its ticket types and orders of the event."""

    ticket_types: tuple[TicketTypeSeen, ...]
    orders: tuple[OrderSeen, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A rush that is over: what the buyers heard, what the service says now, what the ledger has.

    `accepted` are the order ids of the 202s, one for each; `refused` counts by problem code, of which
    `uncertain` were faults (5xx) that may hide an accepted order, as do the `unknown`, cut off on the
    way. `sighted` are statuses that a buyer was told as final, by order id. `ledger` is None when it
    cannot be reached.
    """

    capacity: int
    buyers: int
    quantity: int
    accepted: tuple[str, ...]
    refused: Mapping[str, int]
    uncertain: int
    unknown: int
    sighted: Mapping[str, str]
    listed: tuple[OrderSeen, ...]
    availability: AvailabilitySeen
    event: EventSeen
    ledger: LedgerSeen | None
