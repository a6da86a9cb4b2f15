"""What is found when an order is searched for, and what happened to it: plain frozen values.

This module knows no store, no HTTP and no clock. Times are UTC.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from chalicelib.model import FailedAttempt, Order, OrderStatus, Payment


class Place(StrEnum):
    """Where something of an order is."""

    GATE = "gate"
    LEDGER = "ledger"
    DEAD_LETTERS = "dead-letters"


class Matched(StrEnum):
    """What of an order a searched text is; the first that fits is said."""

    ORDER_ID = "order-id"
    MESSAGE_ID = "message-id"
    BUYER = "buyer"
    IDEMPOTENCY_KEY = "idempotency-key"


class What(StrEnum):
    """What happened to an order, in the order in which it usually does."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    ATTEMPT_FAILED = "attempt-failed"
    DEAD_LETTERED = "dead-lettered"
    REDRIVEN = "redriven"
    DELETED = "deleted"
    DECIDED = "decided"
    SETTLED = "settled"
    PAID = "paid"
    PAYMENT_REFUSED = "payment-refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUND_DUE = "refund-due"


class Candidate(msgspec.Struct, frozen=True):
    """An order that a text may mean. Without an id it is a message that nobody can read."""

    order_id: str | None
    event_id: int | None
    matched: Matched


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that failed by a fault of its own, without its body: whose it is, and what became of it."""

    message_id: str
    order_id: str | None = None
    event_id: int | None = None
    user_id: str | None = None
    reason: str
    failures: int
    recorded_at: datetime
    """When it failed last."""
    moved_at: datetime | None = None
    redriven_at: datetime | None = None
    deleted_at: datetime | None = None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger has of one order, of one moment; the last first."""

    order: Order | None = None
    ended_at: datetime | None = None
    """When it was cancelled or expired; None also when that was not kept."""
    hold_seconds: int = 0
    """Of its event, which says what it was decided to be."""
    letters: tuple[Letter, ...] = ()
    attempts: tuple[FailedAttempt, ...] = ()
    payments: tuple[Payment, ...] = ()


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was found, in all its places. What is None nobody knows: its message cannot be read."""

    order_id: str | None
    event_id: int | None
    user_id: str | None
    status: OrderStatus | None
    accepted_at: datetime | None
    places: tuple[Place, ...]
    message_id: str | None
    """Of its message that failed last."""
    matched: Matched


class Found(msgspec.Struct, frozen=True):
    """Orders, newest first. `truncated` says that there may be more than these."""

    items: tuple[Match, ...]
    truncated: bool


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an order; `at` None means that nobody has kept when."""

    at: datetime | None
    what: What
    detail: str
    source: Place


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """An order and all that happened to it, as it came."""

    order_id: str
    event_id: int
    user_id: str | None
    """None when only a message is left of it that does not say."""
    status: OrderStatus
    entries: tuple[Entry, ...]
