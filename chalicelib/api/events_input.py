"""Rules between the fields of an event, and how a body becomes a draft or a change. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chalicelib.api.schemas import MAX_TICKETS, EventPatch, NewEvent
from chalicelib.errors import InvalidRequest
from chalicelib.model import Event, EventDraft, TicketTypeDraft

GENERAL_ADMISSION = "General admission"
"""Name of the only ticket type of an event in short form; its price is 0."""
YEARS = range(1970, 3000)
"""Times are kept in milliseconds since 1970; year 3000 leaves room in every store."""

Errors = list[tuple[str, str]]
_CLOSES_FIRST = ("salesCloseAt", "must be after salesOpenAt")


def draft_of(body: NewEvent, organiser_id: str | None) -> EventDraft:
    """Makes the draft of a new event, which is the organiser's, or nobody's in open mode.

    Raises InvalidRequest with all that is wrong between its fields.
    """
    errors: Errors = []
    ticket_types = _ticket_types(body, errors)
    opens = _utc("salesOpenAt", body.sales_open_at, errors)
    closes = _utc("salesCloseAt", body.sales_close_at, errors)
    starts = _utc("startsAt", body.starts_at, errors)
    if opens and closes and closes <= opens:
        errors.append(_CLOSES_FIRST)
    if errors:
        raise InvalidRequest(errors)
    return EventDraft(
        name=body.name,
        description=body.description,
        currency=body.currency,
        ticket_types=ticket_types,
        starts_at=starts,
        sales_open_at=opens,
        sales_close_at=closes,
        max_per_order=body.max_per_order,
        max_per_buyer=body.max_per_buyer,
        max_cancellations=body.max_cancellations,
        buyer_rate_limit=body.buyer_rate_limit,
        client_rate_limit=body.client_rate_limit,
        hold_seconds=body.hold_seconds or 0,
        late_payment=body.late_payment,
        organiser_id=organiser_id,
    )


def changes_of(patch: EventPatch) -> dict[str, object]:
    """Returns what a patch sets, under Event's attribute names; times in UTC.

    Raises InvalidRequest when it sets nothing, or a time out of range.
    """
    errors: Errors = []
    changes: dict[str, object] = {}
    for name, wire in zip(patch.__struct_fields__, patch.__struct_encode_fields__, strict=True):
        value = getattr(patch, name)
        if value is not UNSET:
            changes[name] = _utc(wire, value, errors) if isinstance(value, datetime) else value
    if not changes:
        errors.append(("body", "must change at least one field"))
    if errors:
        raise InvalidRequest(errors)
    return changes


def check_merged(event: Event, changes: dict[str, object]) -> None:
    """Holds the rules between fields for `event` with `changes` in place. Raises InvalidRequest."""
    merged = replace(event, **changes)
    opens, closes = merged.sales_open_at, merged.sales_close_at
    if opens and closes and closes <= opens:
        raise InvalidRequest([_CLOSES_FIRST])


def _ticket_types(body: NewEvent, errors: Errors) -> tuple[TicketTypeDraft, ...]:
    total, given = body.total_tickets, body.ticket_types
    if isinstance(given, UnsetType) == isinstance(total, UnsetType):
        errors.append(("totalTickets", "give exactly one of totalTickets and ticketTypes"))
        return ()
    if isinstance(given, UnsetType):
        return (TicketTypeDraft(GENERAL_ADMISSION, 0, cast(int, total)),)
    seen: set[str] = set()
    for index, kind in enumerate(given):
        if kind.name in seen:
            errors.append((f"ticketTypes[{index}].name", "must differ from the other ticket types' names"))
        seen.add(kind.name)
    if sum(kind.capacity for kind in given) > MAX_TICKETS:
        errors.append(("ticketTypes", f"must have at most {MAX_TICKETS} tickets together"))
    return tuple(TicketTypeDraft(kind.name, kind.price, kind.capacity) for kind in given)


def _utc(field: str, moment: datetime | None, errors: Errors) -> datetime | None:
    """Brings a time into UTC; one that leaves the calendar on the way is out of range as well."""
    if moment is None:
        return None
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.year not in YEARS:
        errors.append((field, f"must be between the years {YEARS[0]} and {YEARS[-1]}"))
        return None
    return utc
