"""The conservation figures over HTTP: every ticket is somewhere, and the answer says who knows."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices

TWO_TYPES = {
    "name": "Tour",
    "description": "",
    "ticketTypes": [
        {"name": "Floor", "price": 9900, "capacity": 5},
        {"name": "Balcony", "price": 4500, "capacity": 7},
    ],
}


def test_the_figures_are_shown_together_and_by_type(api: Api, services: MemoryServices) -> None:
    api("POST", "/events", TWO_TYPES)
    for type_id in (1, 2):
        items = [{"ticketTypeId": type_id, "quantity": 2}]
        api("POST", "/orders", {"eventId": 1, "items": items, "userId": "u"})
        if type_id == 1:
            services.fulfil()
    answer = api("GET", "/ops/events/1/conservation")
    found = answer.json
    assert (answer.status, found.pop("asOf")[-1]) == (200, "Z")
    sources = found.pop("sources")
    assert found == {
        "eventId": 1,
        "capacity": 12,
        "sold": 2,
        "reserved": 0,
        "pending": 2,
        "available": 8,
        "gap": 0,
        "ticketTypes": [
            {"id": 1, "capacity": 5, "sold": 2, "reserved": 0, "pending": 0, "available": 3, "gap": 0},
            {"id": 2, "capacity": 7, "sold": 0, "reserved": 0, "pending": 2, "available": 5, "gap": 0},
        ],
    }
    assert set(sources) == {"capacity", "sold", "reserved", "pending", "available", "gap"}


def test_a_gap_is_shown_and_not_hidden(api: Api, services: MemoryServices, event_id: int) -> None:
    api("GET", "/events/1/availability")
    services.gate.realign(1, services.gate.survey(1).epoch, {1: -3})
    assert api("GET", "/ops/events/1/conservation").json["gap"] == 3


def test_an_unknown_event_has_no_figures(api: Api) -> None:
    assert api("GET", "/ops/events/9/conservation").problem == (404, "event-not-found")


def test_without_both_stores_there_are_no_figures(api: Api, services: MemoryServices, event_id: int) -> None:
    services.gate = Down("gate")
    assert api("GET", "/ops/events/1/conservation").problem == (503, "unavailable")
