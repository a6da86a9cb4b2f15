"""The words of the trade: events, ticket types, orders and the message that carries one.

Plain frozen values. This module knows no store, no HTTP, no clock and no rule.
Money is an integer of minor units beside its currency; times are UTC; a field
that ends in `_ms` is milliseconds since the Unix epoch.
"""

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


class PaymentOutcome(StrEnum):
    """What the provider says of a payment."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentState(StrEnum):
    """What became of a payment here; an operator lists them by it."""

    APPLIED = "applied"
    REFUSED = "refused"
    REFUND_DUE = "refund-due"
    PARKED = "parked"
    FAILED = "failed"
    UNMATCHED = "unmatched"


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


class Stock(msgspec.Struct, frozen=True):
    """Tickets of one type that the gate can still give."""

    ticket_type_id: int
    available: int


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders to list, newest first. `before` is an order id: only older ones follow it."""

    event_id: int | None = None
    user_id: str | None = None
    status: OrderStatus | None = None
    before: str | None = None
    limit: int = 50


class PaymentNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment provider reports: one reference, one attempt to pay. `amount` is minor units."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: PaymentOutcome


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's notice and what became of it here."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: PaymentOutcome
    state: PaymentState
    received_at: datetime


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of one event at one moment; `decided`: those of the asked orders it knows."""

    ticket_types: tuple[TicketType, ...]
    decided: frozenset[str]


class FailedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that failed by a fault of its own, as its receiver had it in hand.

    Order, event and buyer are None when the message cannot be read.
    """

    message_id: str
    body: str
    reason: str
    receive_count: int
    order_id: str | None = None
    event_id: int | None = None
    user_id: str | None = None


class DeadLetterState(StrEnum):
    """Where a message that failed is: still tried, on the dead-letter queue, sent again, or given up."""

    FAILING = "failing"
    DEAD = "dead"
    REDRIVEN = "redriven"
    DELETED = "deleted"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of such a message: how often it failed by its own fault, and when it last did.

    `moved_at` is when it was put on the dead-letter queue, `redriven_at` when it was put on the order queue
    again, `deleted_at` when somebody gave it up; None while it was not. The body is kept apart.
    """

    message_id: str
    reason: str
    receive_count: int
    failures: int
    recorded_at: datetime
    moved_at: datetime | None = None
    order_id: str | None = None
    event_id: int | None = None
    user_id: str | None = None
    redriven_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def state(self) -> DeadLetterState:
        """Where it is now."""
        if self.deleted_at is not None:
            return DeadLetterState.DELETED
        if self.redriven_at is not None:
            return DeadLetterState.REDRIVEN
        return DeadLetterState.FAILING if self.moved_at is None else DeadLetterState.DEAD


class FailedAttempt(msgspec.Struct, frozen=True):
    """One failure of a message: when, why, and how often SQS had handed it out by then."""

    failed_at: datetime
    reason: str
    receive_count: int


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """How an event's orders were decided, by pieces of time, without what was cancelled or has expired."""

    first_accepted_at: datetime | None
    last_sold_at: datetime | None
    """When the last of the tickets that are sold or reserved now was."""
    buyers: int
    """Those who have tickets."""
    sold: tuple[int, ...]
    """Tickets sold or reserved, by piece."""
    rejected: tuple[dict[str, int], ...]
    """Orders rejected in each piece, by reason."""


class DeadLetterQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages that failed, newest first; None is any. `reason` is a part of the reason, in any case.

    `before` is when the last one of the page before was recorded, and its message id.
    """

    message_ids: tuple[str, ...] | None = None
    event_id: int | None = None
    user_id: str | None = None
    reason: str | None = None
    state: DeadLetterState | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


class AuditRecord(msgspec.Struct, frozen=True):
    """Who did what to what, when and why. `detail` is plain JSON."""

    at: datetime
    actor: str
    action: str
    target: str
    reason: str = ""
    detail: dict[str, object] = {}


class LoggedAction(AuditRecord, frozen=True, kw_only=True):
    """The same as the ledger keeps it, under an id that sorts by time."""

    id: str
