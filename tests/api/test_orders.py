"""Orders over HTTP: both forms, every refusal, and an answer from the moment of the 202 on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.model import OrderPlaced
from chalicelib.order_ids import new_order_id
from chalicelib.whereabouts import CLOCK_SKEW_MS
from tests.api.conftest import REQUEST_ID, Answer, Api
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import NotingGate

TWO_TYPES = {
    "name": "Tour",
    "description": "",
    "ticketTypes": [
        {"name": "Floor", "price": 9900, "capacity": 5},
        {"name": "Balcony", "price": 4500, "capacity": 7},
    ],
}


def order(api: Api, event_id: int = 1, quantity: int = 1, user: str = "u") -> Answer:
    return api("POST", "/orders", {"eventId": event_id, "quantity": quantity, "userId": user})


def test_an_order_in_short_form_is_accepted(api: Api, services: MemoryServices, event_id: int) -> None:
    answer = order(api, quantity=2)
    assert answer.status == 202
    body = answer.json
    assert answer.headers["location"] == f"/orders/{body['id']}"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-request-id"] == REQUEST_ID
    assert body.pop("id")
    assert body.pop("message")
    assert body.pop("acceptedAt").endswith("Z")
    assert body == {
        "eventId": event_id,
        "userId": "u",
        "items": [{"ticketTypeId": 1, "quantity": 2, "unitPrice": 0}],
        "status": "pending",
        "totalPrice": 0,
        "currency": "EUR",
    }
    (message,) = services.queue.bodies
    assert msgspec.json.decode(message, type=OrderPlaced).user_id == "u"
    assert services.queue.groups == [str(event_id)]


def test_an_order_in_long_form_is_priced_line_by_line(api: Api) -> None:
    api("POST", "/events", TWO_TYPES)
    items = [{"ticketTypeId": 2, "quantity": 3}, {"ticketTypeId": 1, "quantity": 1}]
    body = api("POST", "/orders", {"eventId": 1, "items": items, "userId": "u"}).json
    assert [item["unitPrice"] for item in body["items"]] == [4500, 9900]
    assert body["totalPrice"] == 3 * 4500 + 9900


def test_an_order_can_be_read_before_the_ledger_knows_it(api: Api, event_id: int) -> None:
    placed = order(api).json
    read = api("GET", f"/orders/{placed['id']}")
    assert (read.status, read.headers["retry-after"]) == (200, "1")
    placed.pop("message")
    assert read.json == {**placed, "decidedAt": None}


def test_a_decided_order_is_read_from_the_ledger(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = order(api).json["id"]
    services.fulfil()
    read = api("GET", f"/orders/{order_id}")
    assert read.json["status"] == "confirmed"
    assert read.json["decidedAt"].endswith("Z")
    assert "reason" not in read.json
    assert "retry-after" not in read.headers
    assert api("GET", f"/orders/{order_id.upper()}").json == read.json


def test_a_rejected_order_says_why(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = order(api, quantity=2).json["id"]
    api("PATCH", f"/events/{event_id}", {"maxPerBuyer": 1}, If_Match="*")
    services.fulfil()
    read = api("GET", f"/orders/{order_id}").json
    assert (read["status"], read["reason"]) == ("rejected", "buyer-limit-exceeded")


def test_an_order_that_nobody_knows_is_not_found(api: Api, services: MemoryServices, event_id: int) -> None:
    order(api)
    later_ms = round(services.clock().timestamp() * 1_000) + 2 * CLOCK_SKEW_MS
    order_id = new_order_id(event_id, later_ms)
    assert api("GET", f"/orders/{order_id}").problem == (404, "order-not-found")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_order_that_the_gate_forgot_on_its_way_is_not_denied(
    api: Api, services: MemoryServices, event_id: int, method: str
) -> None:
    order_id = order(api).json["id"]
    services.wipe_gate()
    answer = api(method, f"/orders/{order_id}")
    assert answer.problem == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "cannot be told at the moment" in answer.json["detail"]
    services.fulfil()
    assert api(method, f"/orders/{order_id}").status == 200


def test_pending_orders_of_an_unloaded_event_are_listed_without_the_decided(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order(api)
    gate, services.gate = services.gate, NotingGate()
    services.fulfil()
    services.gate = gate
    waiting = order(api).json["id"]
    assert len(api("GET", "/orders?status=pending&eventId=1").json["items"]) == 2
    services.gate.unload(event_id, "another server")
    assert [each["id"] for each in api("GET", "/orders?status=pending&eventId=1").json["items"]] == [waiting]


def test_a_gate_that_is_down_does_not_hide_a_decided_order(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    decided = order(api).json["id"]
    services.fulfil()
    waiting = order(api).json["id"]
    services.gate = Down("gate")
    assert api("GET", f"/orders/{decided}").json["status"] == "confirmed"
    assert api("GET", f"/orders/{waiting}").problem == (503, "unavailable")


def test_a_ledger_that_is_down_does_not_hide_a_pending_order(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    waiting = order(api).json["id"]
    services.ledger = Down("ledger")
    assert api("GET", f"/orders/{waiting}").json["status"] == "pending"


def test_sold_out_is_told_without_queue_or_ledger(api: Api, services: MemoryServices, event_id: int) -> None:
    assert order(api, quantity=10).status == 202
    services.ledger, services.queue = Down("ledger"), Down("queue")
    refused = order(api)
    assert refused.problem == (409, "sold-out")
    assert order(api).text == refused.text


def test_more_than_is_left_is_refused(api: Api, event_id: int) -> None:
    assert order(api, quantity=11).problem == (409, "not-enough-tickets")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"salesOpenAt": datetime.now(UTC) + timedelta(hours=1)}, "sale-not-open"),
        ({"salesCloseAt": datetime.now(UTC) - timedelta(hours=1)}, "sale-closed"),
        ({"maxPerOrder": 1}, "order-limit-exceeded"),
        ({"maxPerBuyer": 1}, "buyer-limit-exceeded"),
    ],
)
def test_terms_of_the_sale_are_kept(api: Api, terms: dict[str, Any], code: str) -> None:
    api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 5, **terms})
    assert order(api, quantity=2).problem == (409, code)


def test_an_order_for_an_unknown_event_is_not_found_however_often_it_is_asked(api: Api) -> None:
    assert order(api, event_id=77).problem == (404, "event-not-found")
    assert order(api, event_id=77).problem == (404, "event-not-found")


@pytest.mark.parametrize("type_id", [99, 1])
def test_a_ticket_type_that_is_unknown_or_of_another_event_is_not_found(
    api: Api, event_id: int, type_id: int
) -> None:
    api("POST", "/events", TWO_TYPES)
    body = {"eventId": 2, "items": [{"ticketTypeId": type_id, "quantity": 1}], "userId": "u"}
    assert api("POST", "/orders", body).problem == (404, "ticket-type-not-found")


def test_the_short_form_is_refused_where_the_type_must_be_named(api: Api) -> None:
    api("POST", "/events", TWO_TYPES)
    assert order(api).fields == ["items"]


@pytest.mark.parametrize("part", ["gate", "queue"])
def test_an_order_is_not_accepted_while_gate_or_queue_is_down(
    api: Api, services: MemoryServices, event_id: int, part: str
) -> None:
    setattr(services, part, Down(part))
    answer = order(api)
    assert answer.problem == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "secret-host" not in answer.text


def test_an_order_that_the_queue_refused_gives_its_tickets_back(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    services.queue = Down("queue")
    order(api, quantity=10)
    assert api("GET", f"/events/{event_id}/availability").json["ticketTypes"][0]["available"] == 10


def test_decided_orders_are_listed_newest_first_by_pages(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    placed = sorted((order(api).json["id"] for _ in range(5)), reverse=True)
    assert api("GET", "/orders").json["items"] == []
    services.fulfil()
    first = api("GET", "/orders?limit=3").json
    second = api("GET", f"/orders?limit=3&cursor={first['nextCursor']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == placed
    assert second["nextCursor"] is None


def test_orders_are_found_by_event_buyer_and_status(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    api("POST", "/events", {"name": "y", "description": "", "totalTickets": 1, "maxPerBuyer": 1})
    ann, bob = order(api, user="ann").json["id"], order(api, event_id=2, user="bob").json["id"]
    services.fulfil()

    def found(query: str) -> list[str]:
        return [item["id"] for item in api("GET", f"/orders?{query}").json["items"]]

    assert found("eventId=1") == found("userId=ann") == [ann]
    assert found("eventId=2&userId=bob&status=confirmed") == [bob]
    assert found("status=rejected") == found("eventId=1&userId=bob") == []


def test_pending_orders_are_listed_from_the_gate(api: Api, services: MemoryServices, event_id: int) -> None:
    ann, bob = order(api, user="ann").json["id"], order(api, user="bob").json["id"]
    page = api("GET", "/orders?status=pending&eventId=1").json
    assert {item["id"] for item in page["items"]} == {ann, bob}
    assert {item["status"] for item in page["items"]} == {"pending"}
    only_ann = api("GET", "/orders?status=pending&eventId=1&userId=ann").json
    assert [item["id"] for item in only_ann["items"]] == [ann]
    services.fulfil()
    assert api("GET", "/orders?status=pending&eventId=1").json == {"items": [], "nextCursor": None}


def test_pending_orders_have_a_cursor_when_there_are_more(api: Api, event_id: int) -> None:
    for _ in range(3):
        order(api)
    page = api("GET", "/orders?status=pending&eventId=1&limit=2").json
    assert len(page["items"]) == 2
    assert api("GET", f"/orders?status=pending&eventId=1&cursor={page['nextCursor']}").status == 200


def test_pending_orders_cannot_be_listed_over_all_events(api: Api) -> None:
    assert api("GET", "/orders?status=pending").fields == ["eventId"]
