"""Searching orders over HTTP by anything they are known by, and what is told of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from chalicelib.order_ids import new_order_id
from tests.api.conftest import Answer, Api
from tests.fakes.services import Down, MemoryServices
from tests.support.letters import a_failure, a_letter, keep

WAITING = {"status": "pending", "places": ["gate"]}
KEY = "0b1c6f0e-7a2d-4b59-8f6e-3f1f5f0a9c11"
"""Keys are often UUIDs."""


def ordered(api: Api, event_id: int, user: str = "ann", key: str = "") -> str:
    headers = {"Idempotency_Key": key} if key else {}
    answer = api("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": user}, **headers)
    assert answer.status == 202, answer.text
    return str(answer.json["id"])


def asked(api: Api, text: str, event_id: int | None = None) -> Answer:
    more = "" if event_id is None else f"&eventId={event_id}"
    return api("GET", f"/ops/find?q={quote(text, safe='')}{more}")


def found(api: Api, text: str, event_id: int | None = None) -> list[Any]:
    answer = asked(api, text, event_id)
    assert answer.status == 200, answer.text
    assert not answer.json["truncated"]
    return list(answer.json["items"])


def matched(api: Api, text: str) -> list[tuple[str, str]]:
    return [(item["orderId"], item["matched"]) for item in found(api, text)]


def buried(services: MemoryServices, order_id: str, event_id: int, user: str = "ann") -> str:
    """Has the order's message fail and lie among the dead letters; its id."""
    message_id, now = str(uuid4()), services.clock()
    whose = {"order_id": order_id, "event_id": event_id, "user_id": user}
    letter = a_letter(message_id, **whose, reason="a bug", recorded_at=now, moved_at=now)
    keep(services.ledger, letter, a_failure(message_id, failed_at=now))
    return message_id


# -- find


@pytest.mark.parametrize("decided", [False, True], ids=["waiting", "decided"])
def test_an_order_is_found_in_every_way_that_it_is_known_by(
    api: Api, services: MemoryServices, event_id: int, decided: bool
) -> None:
    order_id = ordered(api, event_id, "ann", KEY)
    ordered(api, event_id, "bob")
    message_id = buried(services, order_id, event_id)
    if decided:
        services.fulfil()
    ways = {order_id: "order-id", "ann": "buyer", KEY: "idempotency-key", message_id: "message-id"}
    for text, way in ways.items():
        assert matched(api, text) == [(order_id, way)]
    assert matched(api, order_id.upper()) == [(order_id, "order-id")]
    assert matched(api, message_id.upper()) == [(order_id, "message-id")]


def test_one_order_is_one_item_with_all_its_places(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = ordered(api, event_id)
    (waiting,) = found(api, "ann")
    assert waiting == {
        "orderId": order_id,
        "eventId": event_id,
        "userId": "ann",
        "acceptedAt": api("GET", f"/orders/{order_id}").json["acceptedAt"],
        "messageId": None,
        "matched": "buyer",
        **WAITING,
    }
    message_id = buried(services, order_id, event_id)
    (dead,) = found(api, "ann")
    assert dead == waiting | {"messageId": message_id, "places": ["gate", "dead-letters"]}
    services.fulfil()
    (decided,) = found(api, "ann")
    assert decided == dead | {"status": "confirmed", "places": ["ledger", "dead-letters"]}


def test_what_the_ledger_says_counts_while_the_claim_is_still_there(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = ordered(api, event_id)
    claims = {event: dict(held) for event, held in services.gate._claims.items()}
    services.fulfil()
    services.gate._claims = claims
    (item,) = found(api, order_id)
    assert (item["status"], item["places"]) == ("confirmed", ["gate", "ledger"])


def test_a_buyers_orders_come_the_newest_first_over_all_events(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    other = api("POST", "/events", {"name": "y", "description": "", "totalTickets": 9}).json["id"]
    ids = [ordered(api, event) for event in (event_id, other, event_id)]
    services.fulfil()
    ids += [ordered(api, event) for event in (other, event_id)]
    assert [item["orderId"] for item in found(api, "ann")] == sorted(ids, reverse=True)
    assert [item["orderId"] for item in found(api, "ann", other)] == sorted([ids[1], ids[3]], reverse=True)
    assert found(api, ids[0], other) == []


def test_a_text_that_is_a_buyer_and_a_key_finds_both(api: Api, event_id: int) -> None:
    by_name, by_key = ordered(api, event_id, KEY), ordered(api, event_id, "ann", KEY)
    assert dict(matched(api, KEY)) == {by_name: "buyer", by_key: "idempotency-key"}


def test_a_message_that_nobody_can_read_is_found_by_its_id(api: Api, services: MemoryServices) -> None:
    message_id = str(uuid4())
    keep(services.ledger, a_letter(message_id, reason="undecodable"))
    (item,) = found(api, message_id)
    unknown = dict.fromkeys(("orderId", "eventId", "userId", "status", "acceptedAt"))
    assert item == unknown | {
        "messageId": message_id,
        "places": ["dead-letters"],
        "matched": "message-id",
    }


@pytest.mark.parametrize(
    "text",
    ["bob", "ANN", "an", "ann ", "%", "_nn", "a%", "*", ".*", "ann|bob", "' OR ''='", "\\", "🎫", "x" * 255],
)
@pytest.mark.parametrize("decided", [False, True])
def test_a_strangers_text_finds_nothing_and_no_character_is_special(
    api: Api, services: MemoryServices, event_id: int, text: str, decided: bool
) -> None:
    order_id = ordered(api, event_id, "ann", "key")
    buried(services, order_id, event_id)
    if decided:
        services.fulfil()
    assert found(api, text) == []
    assert len(found(api, "ann")) == 1, "the control"


def test_an_id_of_no_order_finds_nothing(api: Api, event_id: int) -> None:
    for text in (str(uuid4()), new_order_id(event_id, 1), new_order_id(event_id + 1, 1)):
        assert found(api, text) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("?q=", "q"),
        (f"?q={'x' * 256}", "q"),
        ("?q=a%00b", "q"),
        ("?q=a%0Ab", "q"),
        ("?q=a&q=b", "q"),
        ("?q=a&eventId=0", "eventId"),
        ("?q=a&eventId=x", "eventId"),
        ("?q=a&limit=9", "limit"),
    ],
)
def test_a_search_that_breaks_a_rule_is_told_which(api: Api, query: str, field: str) -> None:
    assert api("GET", f"/ops/find{query}").fields == [field]


def test_without_the_gate_what_the_ledger_has_is_found_and_said_not_to_be_all(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = ordered(api, event_id)
    services.fulfil()
    services.gate = Down("gate")
    answer = asked(api, "ann").json
    assert [item["orderId"] for item in answer["items"]] == [order_id]
    assert answer["truncated"]
    assert asked(api, "bob").problem == (503, "unavailable")


def test_without_the_ledger_there_is_no_search(api: Api, services: MemoryServices, event_id: int) -> None:
    ordered(api, event_id)
    services.ledger = Down("ledger")
    assert asked(api, "ann").problem == (503, "unavailable")


def test_an_order_that_may_be_on_its_way_unseen_is_not_denied(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = ordered(api, event_id)
    services.wipe_gate()
    assert asked(api, order_id).problem == (503, "unavailable")
    services.fulfil()
    assert matched(api, order_id) == [(order_id, "order-id")]


# -- the timeline


def timeline(api: Api, order_id: str) -> Any:
    answer = api("GET", f"/ops/orders/{order_id}/timeline")
    assert answer.status == 200, answer.text
    return answer.json


def whats(api: Api, order_id: str) -> list[str]:
    return [entry["what"] for entry in timeline(api, order_id)["entries"]]


def test_the_timeline_follows_an_order(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = ordered(api, event_id)
    told = timeline(api, order_id)
    entries = told.pop("entries")
    assert told == {"orderId": order_id, "eventId": event_id, "userId": "ann", "status": "pending"}
    accepted_at = api("GET", f"/orders/{order_id}").json["acceptedAt"]
    assert [(entry["what"], entry["at"], entry["source"]) for entry in entries] == [
        ("accepted", accepted_at, "gate"),
        ("queued", accepted_at, "gate"),
    ]
    buried(services, order_id, event_id)
    assert whats(api, order_id) == ["accepted", "queued", "attempt-failed", "dead-lettered"]
    services.fulfil()
    assert whats(api, order_id)[-2:] == ["decided", "settled"]
    api("DELETE", f"/orders/{order_id}")
    assert whats(api, order_id)[-1] == "cancelled"
    assert timeline(api, order_id.upper())["status"] == "cancelled"


def test_a_message_alone_still_tells_of_its_order(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = ordered(api, event_id)
    buried(services, order_id, event_id)
    services.wipe_gate()
    told = timeline(api, order_id)
    assert (told["status"], told["userId"], told["entries"][0]["at"]) == ("pending", "ann", None)


def test_an_order_that_is_not_there_has_no_timeline(api: Api, event_id: int) -> None:
    for order_id in ("x", str(uuid4()), new_order_id(event_id, 1), new_order_id(404, 1)):
        assert api("GET", f"/ops/orders/{order_id}/timeline").problem == (404, "order-not-found")


def test_nobody_says_that_an_order_is_not_there_when_nobody_can_tell(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = ordered(api, event_id)
    services.wipe_gate()
    assert api("GET", f"/ops/orders/{order_id}/timeline").problem == (503, "unavailable")
    services.gate = Down("gate")
    assert api("GET", f"/ops/orders/{order_id}/timeline").problem == (503, "unavailable")


def test_without_the_gate_the_ledgers_part_is_told(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = ordered(api, event_id)
    services.fulfil()
    services.gate = Down("gate")
    assert whats(api, order_id) == ["accepted", "queued", "decided"]
