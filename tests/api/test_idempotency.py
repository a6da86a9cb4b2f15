"""One key, one order: the same answer again, before and after the decision, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Answer, Api
from tests.fakes.services import MemoryServices

ORDER: dict[str, Any] = {"eventId": 1, "quantity": 2, "userId": "ann"}


def order(api: Api, key: str = "k-1", **changes: Any) -> Answer:
    return api("POST", "/orders", ORDER | changes, Idempotency_Key=key)


def same(first: Answer, again: Answer) -> bool:
    """Whether the second answer is the first one, marked as a replay."""
    assert again.headers.pop("idempotent-replayed", None) == "true"
    for name in ("ratelimit", "ratelimit-policy"):  # of this request, and not of the order
        first.headers.pop(name, None)
    return (first.status, first.headers, first.json) == (again.status, again.headers, again.json)


def test_a_key_sent_twice_is_one_order_and_one_answer(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    first, again = order(api), order(api)
    assert (first.status, "idempotent-replayed" in first.headers) == (202, False)
    assert same(first, again)
    assert len(set(services.queue.bodies)) == 1
    assert api("GET", "/events/1/availability").json["ticketTypes"][0]["available"] == 8


def test_the_same_answer_comes_after_the_decision_too(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    first = order(api)
    services.fulfil()
    assert same(first, order(api))
    assert services.queue.bodies == []


def test_the_same_answer_comes_after_the_order_was_cancelled(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    first = order(api)
    services.fulfil()
    api("DELETE", first.headers["location"])
    assert same(first, order(api))


def test_a_gate_that_has_forgotten_the_key_is_told_by_the_ledger(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    first = order(api)
    services.fulfil()
    services.wipe_gate()
    assert same(first, order(api))
    assert order(api, quantity=1).problem == (422, "idempotency-key-reused")


def test_a_key_comes_with_or_without_quotes(api: Api, event_id: int) -> None:
    assert same(order(api, '"k-1"'), order(api, "k-1"))


@pytest.mark.parametrize("change", [{"quantity": 1}, {"items": [{"ticketTypeId": 1, "quantity": 2}]}])
def test_another_body_under_the_same_key_is_refused(
    api: Api, services: MemoryServices, event_id: int, change: dict[str, Any]
) -> None:
    order(api)
    body = {name: value for name, value in ORDER.items() if name != "quantity" or "quantity" in change}
    again = api("POST", "/orders", body | change, Idempotency_Key="k-1")
    assert again.problem == (422, "idempotency-key-reused")
    services.fulfil()
    assert order(api, **change | {"quantity": 1, "items": None}).status == 422
    assert api("GET", "/events/1").json["availableTickets"] == 8


def test_a_key_belongs_to_its_buyer(api: Api, event_id: int) -> None:
    ann, bob = order(api), order(api, userId="bob")
    assert ann.json["id"] != bob.json["id"]
    assert "idempotent-replayed" not in bob.headers


def test_other_keys_are_other_orders(api: Api, event_id: int) -> None:
    assert order(api, "k-1").json["id"] != order(api, "k-2").json["id"]
    assert order(api, "K-1").json["id"] != order(api, "k-1").json["id"]


def test_without_a_key_every_request_is_an_order(api: Api, event_id: int) -> None:
    ids = {api("POST", "/orders", ORDER).json["id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_refusal_takes_no_key(api: Api, event_id: int) -> None:
    assert order(api, quantity=11).problem == (409, "not-enough-tickets")
    assert order(api, quantity=1).status == 202


def test_a_key_in_another_event_is_decided_by_the_ledger(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    api("POST", "/events", {"name": "y", "description": "", "totalTickets": 5})
    first = order(api).json["id"]
    services.fulfil()
    other = order(api, eventId=2).json["id"]
    services.fulfil()
    assert api("GET", f"/orders/{first}").json["status"] == "confirmed"
    answer = api("GET", f"/orders/{other}").json
    assert (answer["status"], answer["reason"]) == ("rejected", "idempotency-key-reused")
    assert api("GET", "/events/2/availability").json["ticketTypes"][0]["available"] == 5


@pytest.mark.parametrize("key", ["k", "k" * 255, '"' + "k" * 255 + '"', '""k""', "!~", '"', ' "k" '])
def test_a_key_is_one_to_255_visible_characters(api: Api, event_id: int, key: str) -> None:
    assert order(api, key).status == 202


@pytest.mark.parametrize(
    "key", ["", '""', " ", "k" * 256, "k" * 300, '"' + "k" * 300 + '"', "a b", "é", "k\x00", "k\n", "\u0661"]
)
def test_any_other_key_is_refused(api: Api, services: MemoryServices, event_id: int, key: str) -> None:
    assert order(api, key).fields == ["Idempotency-Key"]
    assert services.queue.bodies == []
