"""The events resource: organisers create and edit events, everybody reads them.

Sales figures come from the ledger; only the availability call asks the gate.
"""

from __future__ import annotations

import re
from typing import Any

from chalice.app import Response

from chalicelib import admission
from chalicelib.api.access import Reach
from chalicelib.api.cursors import after_event, read_after_event
from chalicelib.api.event_views import AvailabilityView, AvailableView, EventPage, EventView, event_view
from chalicelib.api.events_input import changes_of, check_merged, draft_of
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.schemas import MAX_ID, EventPatch, NewEvent, NoQuery, Page, SwitchQuery
from chalicelib.errors import Rejected, Unavailable
from chalicelib.log import log
from chalicelib.model import AuditRecord, Event, SalesState
from chalicelib.services import Services

EVENT_BYTES = 128 * 1024
"""Longest body of an event: 100 ticket types and a description, all in four-byte characters, have 106 KiB."""
EDIT_ATTEMPTS = 3
"""Readings of the event that `If-Match: *` is worth before the caller hears that others keep editing it."""

_SWITCH: dict[str, Any] = {
    "query": SwitchQuery,
    "answers": {200: EventView},
    "sends": ("ETag",),
    "codes": ("event-not-found", "sale-closed", "unavailable"),
}
_ACTIONS = {
    SalesState.PAUSED: "sale-paused",
    SalesState.OPEN: "sale-resumed",
    SalesState.CLOSED: "sale-closed",
}
"""What a switch is called in the log of actions."""
_IF_MATCH = {
    "required": True,
    "description": "The event's ETag as last read, or * for any",
    "schema": {"type": "string", "pattern": r'^(\*|"[0-9]+"(, *"[0-9]+")*)$'},
}
_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


@operation(
    "POST /events",
    body=NewEvent,
    answers={201: EventView},
    sends=("Location", "ETag"),
    codes=("unavailable",),
    limit_bytes=EVENT_BYTES,
)
def create_event(services: Services, call: Call, body: NewEvent) -> Response:
    """Create an event."""
    event = services.ledger.create_event(draft_of(body, call.caller.subject))
    log("event-created", eventId=event.id)
    location = {"Location": call.link(f"/events/{event.id}")}
    return _shown(services, event, 201, location)


@operation("GET /events", query=Page, answers={200: EventPage}, codes=("unavailable",))
def list_events(services: Services, _: Call, page: Page) -> Response:
    """List events, by ascending id."""
    after = read_after_event(page.cursor) if page.cursor else 0
    events = services.ledger.events(after, page.limit + 1)
    shown = [event_view(event, services.clock()) for event in events[: page.limit]]
    more = after_event(shown[-1].id) if len(events) > page.limit else None
    return answer(200, EventPage(items=shown, next_cursor=more))


@operation(
    "GET /events/{eventId}",
    answers={200: EventView},
    sends=("ETag",),
    codes=("event-not-found", "unavailable"),
)
def get_event(services: Services, call: Call, _: NoQuery) -> Response:
    """Read an event."""
    return _shown(services, services.ledger.event(event_id_of(call)))


@operation(
    "PATCH /events/{eventId}",
    body=EventPatch,
    headers={"If-Match": _IF_MATCH},
    answers={200: EventView},
    sends=("ETag",),
    codes=("event-not-found", "precondition-required", "precondition-failed", "unavailable"),
    limit_bytes=EVENT_BYTES,
)
def update_event(services: Services, call: Call, patch: EventPatch) -> Response:
    """Change an event that nobody else has changed since it was read."""
    event_id, changes = event_in_reach(services, call), changes_of(patch)
    wanted = call.headers.get("if-match")
    if wanted is None:
        raise Rejected("precondition-required", 'Send If-Match with the event\'s ETag, like "3", or *.')
    event = _edited(services, event_id, wanted.strip(), changes)
    _tell_gate(services, event)
    log("event-changed", eventId=event.id, version=event.version)
    return _shown(services, event)


@operation(
    "GET /events/{eventId}/availability",
    answers={200: AvailabilityView},
    codes=("event-not-found", "unavailable"),
)
def get_availability(services: Services, call: Call, _: NoQuery) -> Response:
    """Read what can still be asked for, now."""
    event_id = event_id_of(call)
    stock, as_of = admission.availability(services, event_id)
    view = AvailabilityView(
        event_id=event_id,
        sold_out=all(line.available <= 0 for line in stock),
        ticket_types=[AvailableView(id=line.ticket_type_id, available=line.available) for line in stock],
        as_of=as_of,
    )
    return answer(200, view)


@operation("POST /events/{eventId}/pause", **_SWITCH)
def pause_sale(services: Services, call: Call, query: SwitchQuery) -> Response:
    """Refuse new orders for a while; accepted ones are finished."""
    return _switched(services, call, SalesState.PAUSED, query.reason)


@operation("POST /events/{eventId}/resume", **_SWITCH)
def resume_sale(services: Services, call: Call, query: SwitchQuery) -> Response:
    """Take orders again after a pause."""
    return _switched(services, call, SalesState.OPEN, query.reason)


@operation("POST /events/{eventId}/close", **_SWITCH)
def close_sale(services: Services, call: Call, query: SwitchQuery) -> Response:
    """End the sale for good; accepted orders are finished."""
    return _switched(services, call, SalesState.CLOSED, query.reason)


OPERATIONS: tuple[Operation, ...] = (
    create_event,
    list_events,
    get_event,
    update_event,
    get_availability,
    pause_sale,
    resume_sale,
    close_sale,
)


def _switched(services: Services, call: Call, state: SalesState, reason: str) -> Response:
    event_id, actor = event_in_reach(services, call), call.caller.actor
    record = AuditRecord(services.clock(), actor, _ACTIONS[state], f"event {event_id}", reason)
    event = services.ledger.switch(event_id, state, record)
    # A switch that the gate has not heard of is not thrown: 503, and asking again throws it.
    services.gate.configure(event)
    log("sale-switched", eventId=event.id, state=state)
    return _shown(services, event)


def _edited(services: Services, event_id: int, wanted: str, changes: dict[str, object]) -> Event:
    """Writes the changes over the version that they were checked against; no edit slips in between."""
    for _ in range(EDIT_ATTEMPTS):
        event = services.ledger.event(event_id)
        if wanted != "*" and _etag(event) not in (tag.strip() for tag in wanted.split(",")):
            break
        check_merged(event, changes)
        try:
            return services.ledger.update_event(event_id, event.version, changes)
        except Rejected as error:
            if error.code != "precondition-failed":
                raise
    raise Rejected("precondition-failed", "The event has changed since; read it again.")


def event_id_of(call: Call) -> int:
    """Reads the event id in the path. Raises Rejected("event-not-found") for what can be no event's id."""
    text = call.path["eventId"]
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > MAX_ID:
        raise Rejected("event-not-found", "There is no event with this id.")
    return int(text)


def event_in_reach(services: Services, call: Call) -> int:
    """Reads the event id in the path; looks whose the event is where the caller reaches only their own.

    Raises Rejected("forbidden") for another organiser's event: that it exists is no secret.
    """
    event_id = event_id_of(call)
    if call.caller.reach is Reach.OWN and not call.caller.reaches(
        services.ledger.event(event_id).organiser_id
    ):
        raise Rejected("forbidden", "The event is another organiser's.")
    return event_id


def _etag(event: Event) -> str:
    return f'"{event.version}"'


def _tell_gate(services: Services, event: Event) -> None:
    """The ledger has the new terms already: a gate that is down gets them from the reconciler."""
    try:
        services.gate.configure(event)
    except Unavailable:
        log("terms-not-told", "warning", eventId=event.id, version=event.version)


def _shown(
    services: Services, event: Event, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return answer(status, event_view(event, services.clock()), {"ETag": _etag(event), **(headers or {})})
