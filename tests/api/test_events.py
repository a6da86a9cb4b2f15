"""Events over HTTP: made in both forms, listed, read, edited under If-Match, and shown as they sell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.api.event_views import event_status
from chalicelib.errors import Rejected
from chalicelib.model import Event
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices
from tests.support.events import NOON, an_event

LONG: dict[str, Any] = {
    "name": "Tour",
    "description": "Two lines\nof text",
    "ticketTypes": [
        {"name": "Floor", "price": 9900, "capacity": 5},
        {"name": "Balcony", "price": 4500, "capacity": 7},
    ],
    "currency": "CHF",
    "startsAt": "2027-06-01T20:00:00+02:00",
    "salesOpenAt": "2026-01-01T10:00:00Z",
    "salesCloseAt": "2027-06-01T12:00:00+02:00",
    "maxPerOrder": 4,
    "maxPerBuyer": 6,
    "holdSeconds": 0,
}


def test_the_short_form_makes_one_ticket_type_that_costs_nothing(api: Api) -> None:
    answer = api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 1000})
    assert answer.status == 201
    assert answer.headers["location"] == "/events/1"
    assert answer.headers["etag"] == '"1"'
    event = answer.json
    assert event["ticketTypes"] == [
        {"id": 1, "name": "General admission", "price": 0, "capacity": 1000, "available": 1000}
    ]
    assert (event["id"], event["totalTickets"], event["availableTickets"]) == (1, 1000, 1000)
    assert (event["currency"], event["status"], event["version"], event["holdSeconds"]) == (
        "EUR",
        "on-sale",
        1,
        0,
    )
    assert event["maxPerOrder"] is event["maxPerBuyer"] is event["startsAt"] is None


def test_the_long_form_is_shown_as_it_was_sent_with_times_in_utc(api: Api) -> None:
    event = api("POST", "/events", LONG).json
    assert [(kind["name"], kind["price"], kind["capacity"]) for kind in event["ticketTypes"]] == [
        ("Floor", 9900, 5),
        ("Balcony", 4500, 7),
    ]
    assert event["totalTickets"] == 12
    assert (event["startsAt"], event["salesOpenAt"]) == ("2027-06-01T18:00:00Z", "2026-01-01T10:00:00Z")
    assert event["salesCloseAt"] == "2027-06-01T10:00:00Z"
    assert event["createdAt"].endswith("Z")
    assert (event["description"], event["maxPerOrder"], event["maxPerBuyer"]) == (LONG["description"], 4, 6)


def test_null_stands_for_absent_where_a_field_may_be_left_out(api: Api) -> None:
    body = {"name": "x", "description": "", "totalTickets": 1, "startsAt": None, "maxPerOrder": None}
    assert api("POST", "/events", {**body, "holdSeconds": None}).status == 201


def test_a_made_event_can_be_read_again(api: Api) -> None:
    made = api("POST", "/events", LONG)
    read = api("GET", "/events/1")
    assert (read.status, read.json, read.headers["etag"]) == (200, made.json, '"1"')


def test_links_carry_the_stage_that_the_gateway_puts_before_the_path(services: MemoryServices) -> None:
    staged = Api(services, stage="/api")
    made = staged("POST", "/events", {"name": "x", "description": "d", "totalTickets": 1})
    assert made.headers["location"] == "/api/events/1"
    assert staged("GET", "/").json["links"]["orders"] == "/api/orders"


def test_events_are_listed_by_pages_until_the_cursor_is_null(api: Api) -> None:
    for _ in range(5):
        api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 1})
    seen, url = [], "/events?limit=2"
    while True:
        page = api("GET", url).json
        seen.append([event["id"] for event in page["items"]])
        if page["nextCursor"] is None:
            break
        url = f"/events?limit=2&cursor={page['nextCursor']}"
    assert seen == [[1, 2], [3, 4], [5]]


def test_no_events_are_an_empty_page(api: Api) -> None:
    assert api("GET", "/events").json == {"items": [], "nextCursor": None}


def test_an_edit_needs_the_current_etag_and_makes_a_new_one(api: Api, event_id: int) -> None:
    edited = api("PATCH", f"/events/{event_id}", {"name": "y", "maxPerOrder": 2}, If_Match='"1"')
    assert (edited.status, edited.headers["etag"]) == (200, '"2"')
    assert (edited.json["name"], edited.json["maxPerOrder"], edited.json["version"]) == ("y", 2, 2)
    assert api("PATCH", f"/events/{event_id}", {"name": "z"}, If_Match='"1"').problem == (
        412,
        "precondition-failed",
    )
    assert api("GET", f"/events/{event_id}").json["name"] == "y"


def test_an_edit_without_if_match_is_asked_for_one(api: Api, event_id: int) -> None:
    assert api("PATCH", f"/events/{event_id}", {"name": "y"}).problem == (428, "precondition-required")


@pytest.mark.parametrize("tag", ["*", '"1"', '"7", "1"', ' "1" '])
def test_an_etag_matches_alone_in_a_list_or_as_any(api: Api, event_id: int, tag: str) -> None:
    assert api("PATCH", f"/events/{event_id}", {"name": "y"}, If_Match=tag).status == 200


@pytest.mark.parametrize("tag", ["", "1", 'W/"1"', '"2"', '"nonsense"', "\x00"])
def test_any_other_etag_is_stale(api: Api, event_id: int, tag: str) -> None:
    assert api("PATCH", f"/events/{event_id}", {"name": "y"}, If_Match=tag).problem == (
        412,
        "precondition-failed",
    )


def test_an_edit_of_an_unknown_event_is_not_found(api: Api) -> None:
    assert api("PATCH", "/events/9", {"name": "y"}, If_Match="*").problem == (404, "event-not-found")


def test_null_takes_a_limit_away_and_an_absent_field_stays(api: Api) -> None:
    api("POST", "/events", LONG)
    edited = api("PATCH", "/events/1", {"maxPerOrder": None, "startsAt": None}, If_Match="*").json
    assert (edited["maxPerOrder"], edited["startsAt"], edited["maxPerBuyer"]) == (None, None, 6)


@pytest.mark.parametrize("field", ["name", "description"])
def test_null_cannot_clear_what_every_event_has(api: Api, event_id: int, field: str) -> None:
    assert api("PATCH", f"/events/{event_id}", {field: None}, If_Match="*").fields == [field]


def test_an_edit_that_changes_nothing_is_refused(api: Api, event_id: int) -> None:
    assert api("PATCH", f"/events/{event_id}", {}, If_Match="*").fields == ["body"]


def test_capacity_cannot_be_edited(api: Api, event_id: int) -> None:
    assert api("PATCH", f"/events/{event_id}", {"totalTickets": 99}, If_Match="*").fields == ["totalTickets"]


def test_an_edited_sale_must_still_close_after_it_opens(api: Api) -> None:
    api("POST", "/events", LONG)
    early = {"salesCloseAt": "2025-01-01T00:00:00Z"}
    assert api("PATCH", "/events/1", early, If_Match="*").fields == ["salesCloseAt"]
    assert api("PATCH", "/events/1", {**early, "salesOpenAt": None}, If_Match="*").status == 200


def test_an_edit_between_reading_and_writing_is_noticed(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    class Overtaken:
        """A ledger in which somebody else is always faster."""

        def event(self, event_id: int) -> Event:
            return an_event(event_id)

        def update_event(self, *_: object) -> Event:
            raise Rejected("precondition-failed", "The event was changed meanwhile.")

    services.ledger = Overtaken()
    assert api("PATCH", f"/events/{event_id}", {"name": "y"}, If_Match="*").problem == (
        412,
        "precondition-failed",
    )


def test_an_edit_reaches_the_gate(api: Api, event_id: int) -> None:
    order = {"eventId": event_id, "quantity": 2, "userId": "u"}
    assert api("POST", "/orders", order).status == 202
    api("PATCH", f"/events/{event_id}", {"maxPerOrder": 1}, If_Match="*")
    assert api("POST", "/orders", order).problem == (409, "order-limit-exceeded")


def test_availability_counts_orders_on_their_way(api: Api, event_id: int) -> None:
    api("POST", "/orders", {"eventId": event_id, "quantity": 4, "userId": "u"})
    answer = api("GET", f"/events/{event_id}/availability")
    assert answer.status == 200
    assert answer.json["asOf"].endswith("Z")
    assert {**answer.json, "asOf": 0} == {
        "eventId": event_id,
        "soldOut": False,
        "ticketTypes": [{"id": 1, "available": 6}],
        "asOf": 0,
    }
    api("POST", "/orders", {"eventId": event_id, "quantity": 6, "userId": "u"})
    assert api("GET", f"/events/{event_id}/availability").json["soldOut"] is True


def test_sales_show_in_the_event_once_they_are_decided(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    api("POST", "/orders", {"eventId": event_id, "quantity": 10, "userId": "u"})
    assert api("GET", f"/events/{event_id}").json["availableTickets"] == 10
    services.fulfil()
    event = api("GET", f"/events/{event_id}").json
    assert (event["availableTickets"], event["status"]) == (0, "sold-out")
    assert event["ticketTypes"][0]["available"] == 0


@pytest.mark.parametrize("path", ["/events/9", "/events/9/availability"])
def test_an_unknown_event_is_not_found(api: Api, path: str) -> None:
    assert api("GET", path).problem == (404, "event-not-found")


def test_a_ledger_that_is_down_is_503_and_says_nothing_of_our_insides(
    api: Api, services: MemoryServices
) -> None:
    services.ledger = Down("ledger")
    answer = api("GET", "/events")
    assert answer.problem == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "secret-host" not in answer.text


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({}, "on-sale"),
        ({"sales_open_at": NOON + timedelta(seconds=1)}, "scheduled"),
        ({"sales_open_at": NOON}, "on-sale"),
        ({"sales_close_at": NOON + timedelta(seconds=1)}, "on-sale"),
        ({"sales_close_at": NOON}, "closed"),
        ({"ticket_types": ()}, "sold-out"),
        ({"ticket_types": (), "sales_close_at": NOON}, "closed"),
    ],
)
def test_the_status_of_a_sale_follows_from_its_terms_and_the_time(terms: dict[str, Any], status: str) -> None:
    event = {field: getattr(an_event(), field) for field in Event.__struct_fields__}
    assert event_status(Event(**(event | terms)), NOON) == status


def test_times_from_another_zone_are_shown_in_utc(api: Api, services: MemoryServices) -> None:
    services.clock = lambda: datetime(2026, 6, 1, tzinfo=UTC)
    body = {"name": "x", "description": "d", "totalTickets": 1, "salesOpenAt": "2026-06-01T00:00:01-05:00"}
    event = api("POST", "/events", body).json
    assert (event["salesOpenAt"], event["status"]) == ("2026-06-01T05:00:01Z", "scheduled")
