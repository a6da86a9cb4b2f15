"""What operators are shown of orders that they search for. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.api.answers import Output
from chalicelib.model import OrderStatus
from chalicelib.traces import Found, Matched, Place, Timeline, What


class MatchView(Output, frozen=True):
    """An order that was found, in all its places; `matched` says what of it was searched for.

    What is null is not known: then nobody can read the message. `messageId` is that of its message that
    failed last. `acceptedAt` is null also for an order of which only such a message is left.
    """

    order_id: str | None
    event_id: int | None
    user_id: str | None
    status: OrderStatus | None
    accepted_at: datetime | None
    places: tuple[Place, ...]
    message_id: str | None
    matched: Matched


class FoundView(Output, frozen=True):
    """Orders, newest first. `truncated` says that there may be more than these."""

    items: list[MatchView]
    truncated: bool


class EntryView(Output, frozen=True):
    """Something that happened to an order; `at` is null when nobody has kept when, `source` is who tells."""

    at: datetime | None
    what: What
    detail: str
    source: Place


class TimelineView(Output, frozen=True):
    """An order and all that happened to it, oldest first."""

    order_id: str
    event_id: int
    user_id: str | None
    status: OrderStatus
    entries: list[EntryView]


def found_view(found: Found) -> FoundView:
    """Shows what a search found."""
    return msgspec.convert(found, FoundView, from_attributes=True)


def timeline_view(told: Timeline) -> TimelineView:
    """Shows what happened to an order."""
    return msgspec.convert(told, TimelineView, from_attributes=True)
