"""What operators look at and do: messages that failed, how a sale was decided, who did what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


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
