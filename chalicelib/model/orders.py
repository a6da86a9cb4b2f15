"""An order: as it is asked for, as the message carries it, as the ledger keeps it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

MESSAGE_SCHEMA = 1
"""Version of the message on the queue; a worker refuses one that it does not know."""


class OrderStatus(StrEnum):
    """Where an order stands. Only `pending` is not yet decided."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    RESERVED = "reserved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """So many tickets of one type, at the price that the buyer was shown."""

    ticket_type_id: int
    quantity: int
    unit_price: int


class OrderPlaced(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The message on the queue, and word for word the claim in the gate: one accepted order, whole.

    The JSON of this structure is built once, by `gate/admit.lua`, and travels unchanged.
    """

    schema: int
    order_id: str
    event_id: int
    user_id: str
    currency: str
    items: tuple[Item, ...]
    accepted_at_ms: int
    idempotency_key: str | None = None
    request_digest: str | None = None

    @property
    def quantity(self) -> int:
        """Tickets in the order, over all its items."""
        return sum(item.quantity for item in self.items)

    @property
    def total_price(self) -> int:
        """Minor units of `currency`, over all its items."""
        return sum(item.quantity * item.unit_price for item in self.items)


class LookedUp(msgspec.Struct, frozen=True):
    """What the gate knows of one order."""

    claim: OrderPlaced | None = None
    """The order itself, admitted and not settled."""
    filled_at_ms: int | None = None
    """Since when the gate has kept count of the event; what it had before, it may have forgotten.

    None when the event is not loaded: then a claim may be of an order that is decided.
    """


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its answer, as a buyer may read it; `detail` says what its `reason` leaves open."""

    id: str
    event_id: int
    user_id: str
    items: tuple[Item, ...]
    status: OrderStatus
    total_price: int
    currency: str
    accepted_at: datetime
    reason: str | None = None
    detail: str | None = None
    decided_at: datetime | None = None
    expires_at: datetime | None = None


class Wanted(msgspec.Struct, frozen=True):
    """What a buyer asks for in one line. None is the short form: the event's only ticket type."""

    ticket_type_id: int | None
    quantity: int


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An order at the door: well formed, but nobody has looked at the stock yet.

    `client` names the network that it came from; requests without one count as one client's together.
    """

    order_id: str
    event_id: int
    user_id: str
    wanted: tuple[Wanted, ...]
    client: str = ""
    idempotency_key: str | None = None
    request_digest: str | None = None


class Quota(msgspec.Struct, frozen=True):
    """How much of a rate limit is left: `left` of `per_minute` requests; `wait_seconds` until one more is."""

    bucket: str
    per_minute: int
    left: int
    wait_seconds: int


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders to list, newest first. `before` is an order id: only older ones follow it."""

    event_id: int | None = None
    user_id: str | None = None
    status: OrderStatus | None = None
    before: str | None = None
    limit: int = 50
