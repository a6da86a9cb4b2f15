"""The dead letters over HTTP: listed, foreseen, tried again, given up, and who did it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.queue.messages import decode
from chalicelib.rules import StockMove
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import message_of
from tests.support.tokens import JWT_SETTINGS, local_token

PATH = "/ops/dead-letters"


def an_order(api: Api, services: MemoryServices, user: str = "ann", quantity: int = 1) -> tuple[str, str]:
    """An accepted order whose message is in hand: its id and the body."""
    wish = {"eventId": 1, "quantity": quantity, "userId": user}
    placed = api("POST", "/orders", wish)
    assert placed.status == 202, placed.text
    return placed.json["id"], services.queue.bodies.pop()


def post(api: Api, what: str, body: Any) -> Any:
    answer = api("POST", f"{PATH}/{what}", body)
    assert answer.status == 200, answer.text
    return answer.json


def foreseen(api: Api, *ids: str) -> list[tuple[str, str]]:
    found = post(api, "dry-run", {"messageIds": list(ids)})["items"]
    by_id = {each["messageId"]: (each["verdict"], each["detail"]) for each in found}
    return [by_id[message_id] for message_id in ids]


def test_a_list_goes_on_to_its_end_and_says_how_many_there_are(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id, body = an_order(api, services)
    ids = services.bury(body, "{", "[]")
    first = api("GET", f"{PATH}?limit=2").json
    rest = api("GET", f"{PATH}?limit=2&cursor={first['nextCursor']}").json
    assert [each["messageId"] for page in (first, rest) for each in page["items"]] == ids[::-1]
    assert (first["total"], rest["total"], rest["nextCursor"]) == (3, 3, None)
    assert rest["items"][0] | {"recordedAt": "", "movedAt": ""} == {
        "messageId": ids[0],
        "orderId": order_id,
        "eventId": 1,
        "userId": "ann",
        "reason": "KeyError: 1",
        "failures": 1,
        "receiveCount": 1,
        "recordedAt": "",
        "movedAt": "",
        "state": "dead",
    }
    for query, total in (("userId=ann", 1), ("eventId=2", 0), ("reason=keyerror", 3), ("state=failing", 0)):
        assert api("GET", f"{PATH}?{query}").json["total"] == total, query


def test_one_is_shown_with_its_body_its_failures_and_its_replay(api: Api, services: MemoryServices) -> None:
    (message_id,) = services.bury("{", reason="undecodable: truncated")
    shown = api("GET", f"{PATH}/{message_id}").json
    assert (shown["body"], shown["userId"], shown["replay"]["verdict"]) == ("{", None, "undecodable")
    assert [each["reason"] for each in shown["attempts"]] == ["undecodable: truncated"]


@pytest.mark.parametrize("message_id", ["unheard-of", "x" * 101, "%00", "%C3%BC"])
def test_what_has_not_failed_is_not_found(api: Api, message_id: str) -> None:
    assert api("GET", f"{PATH}/{message_id}").problem == (404, "dead-letter-not-found")


def test_each_verdict_is_told(api: Api, services: MemoryServices, event_id: int) -> None:
    decided = an_order(api, services)[1]
    services.queue.bodies.append(decided)
    services.fulfil()
    first, second = (an_order(api, services, user, quantity)[1] for user, quantity in (("a", 4), ("b", 5)))
    ids = services.bury(decided, first, a_minute_later(second), "{")
    assert foreseen(api, *ids)[:3] == [
        ("already-applied", "confirmed"),
        ("valid", "confirmed"),
        ("valid", "confirmed"),
    ]
    assert foreseen(api, ids[3])[0][0] == "undecodable"
    (kind,) = services.ledger.event(1).ticket_types
    services.ledger._move(StockMove(kind.id, 5, 0))
    assert foreseen(api, *ids[1:3]) == [("valid", "confirmed"), ("sold-out", "sold-out")]
    assert foreseen(api, ids[2])[0] == ("would-be-rejected", "not-enough-tickets"), "by itself: four are left"
    found = post(api, "dry-run", {"all": True})
    assert found["totals"] == {"already-applied": 1, "valid": 1, "sold-out": 1, "undecodable": 1}
    assert not found["truncated"]


def a_minute_later(body: str) -> str:
    placed = decode(body)
    return message_of(replace(placed, accepted_at_ms=placed.accepted_at_ms + 60_000))


def test_a_redrive_puts_chosen_ones_back_and_leaves_the_rest(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    bodies = [an_order(api, services, f"buyer {n}")[1] for n in range(3)]
    ids = services.bury(*bodies)
    wish = {"messageIds": [ids[1], "unheard-of"], "reason": "mended"}
    assert post(api, "redrive", wish) == {"moved": 1, "left": 0, "done": True, "via": "one-by-one"}
    assert (services.queue.bodies, services.queue.groups[-1]) == ([bodies[1]], "1")
    assert (len(services.pair.dead), services.pair.hidden) == (2, set())
    again = post(api, "redrive", wish)
    assert (again["moved"], len(services.queue.bodies)) == (0, 1), "what was redriven is not redriven again"
    (record,) = api("GET", "/ops/log").json["items"]
    assert (record["actor"], record["action"]) == ("anybody", "dead-letters-redriven")
    assert (record["reason"], record["detail"]["moved"]) == ("mended", 1)


def test_what_the_queue_no_longer_keeps_is_sent_from_the_ledger(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    _, body = an_order(api, services)
    services.bury(body)
    services.pair.dead.clear()
    assert post(api, "redrive", {"filter": {"userId": "ann"}})["moved"] == 1
    assert services.queue.bodies == [body]


def test_what_somebody_else_has_in_hand_is_waited_for(api: Api, services: MemoryServices) -> None:
    ids = services.bury("{", "[")
    services.dead_letters.take()
    found = post(api, "redrive", {"all": True})
    assert (found["moved"], found["left"], found["done"]) == (0, 2, False)
    services.pair.visible_again()
    assert post(api, "redrive", {"messageIds": ids})["moved"] == 2
    assert services.queue.bodies == ["{", "["]


def test_a_second_copy_of_what_was_dealt_with_is_removed_on_the_way(
    api: Api, services: MemoryServices
) -> None:
    first, second = services.bury("{", "[")
    services.pair.bury("{", first)
    post(api, "redrive", {"messageIds": [first]})
    post(api, "redrive", {"messageIds": [second]})
    assert (services.queue.bodies, services.pair.dead) == (["{", "["], {})


def test_sqs_moves_all_by_itself_where_it_can(api: Api, services: MemoryServices) -> None:
    ids = services.bury("{", "[")
    services.pair.tasks = []
    begun = post(api, "redrive", {"all": True})
    assert begun == {"moved": 0, "left": 2, "done": False, "via": "move-task"}
    (task,) = services.pair.tasks
    started_ms = services.clock().timestamp() * 1_000 + 1
    task |= {"ApproximateNumberOfMessagesMoved": 1, "StartedTimestamp": started_ms}
    assert post(api, "redrive", {"all": True}) == {"moved": 1, "left": 1, "done": False, "via": "move-task"}
    assert api("GET", f"{PATH}/redrive").json == {"running": True, "moved": 1, "toMove": 2}
    services.pair.dead.clear()
    task |= {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2}
    assert post(api, "redrive", {"all": True}) == {"moved": 2, "left": 0, "done": True, "via": "move-task"}
    states = [api("GET", f"{PATH}/{message_id}").json["state"] for message_id in ids]
    assert states == ["redriven", "redriven"]
    assert services.queue.bodies == [], "nothing is sent a second time"


def test_a_deleted_one_is_gone_its_order_cancelled_and_its_tickets_back(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id, body = an_order(api, services, quantity=4)
    ids = services.bury(body, "{")
    gone = post(api, "delete", {"messageIds": [*ids, "unheard-of"], "reason": "hopeless"})
    assert gone == {"deleted": 2, "left": 0}
    assert api("GET", f"/orders/{order_id}").json["status"] == "cancelled"
    assert api("GET", "/events/1/availability").json["ticketTypes"][0]["available"] == 10
    assert services.pair.dead == {}
    assert {each["state"] for each in api("GET", PATH).json["items"]} == {"deleted"}


def test_an_order_that_the_gate_has_forgotten_is_answered_as_well(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id, body = an_order(api, services)
    ids = services.bury(body)
    services.wipe_gate()
    assert post(api, "delete", {"messageIds": ids, "reason": "x"}) == {"deleted": 1, "left": 0}
    assert api("GET", f"/orders/{order_id}").json["status"] == "cancelled"


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("dry-run", {}, "messageIds"),
        ("redrive", {"all": False}, "messageIds"),
        ("redrive", {"all": True, "filter": {"eventId": 1}}, "messageIds"),
        ("redrive", {"messageIds": ["m"], "all": True}, "messageIds"),
        ("redrive", {"messageIds": []}, "messageIds"),
        ("redrive", {"messageIds": ["m"] * 501}, "messageIds"),
        ("redrive", {"messageIds": ["ü"]}, "messageIds[0]"),
        ("redrive", {"filter": {}}, "filter"),
        ("redrive", {"filter": {"user": "ann"}}, "filter.user"),
        ("redrive", {"all": True, "reason": "x" * 501}, "reason"),
        ("dry-run", {"all": True, "reason": "x"}, "reason"),
        ("delete", {"messageIds": ["m"]}, "reason"),
        ("delete", {"messageIds": ["m"], "reason": ""}, "reason"),
        ("delete", {"messageIds": ["m"] * 101, "reason": "x"}, "messageIds"),
        ("delete", {"all": True, "reason": "x"}, "all"),
    ],
)
def test_a_selection_is_made_in_exactly_one_way(api: Api, what: str, body: Any, field: str) -> None:
    assert api("POST", f"{PATH}/{what}", body).fields == [field]


@pytest.mark.parametrize("query", ["state=x", "cursor=ZTox", "limit=101", "eventId=0", "reason=", "q=1"])
def test_a_wrong_search_is_refused(api: Api, query: str) -> None:
    assert api("GET", f"{PATH}?{query}").status == 422


def test_a_down_part_is_told_and_what_is_in_hand_is_given_back(api: Api, services: MemoryServices) -> None:
    ids = services.bury("{", "[")
    services.pair.faults["SendMessageBatch"] = Unavailable("queue", "down")
    assert api("POST", f"{PATH}/redrive", {"messageIds": ids}).problem == (503, "unavailable")
    services.pair.visible_again()
    services.pair.faults["ChangeMessageVisibilityBatch"] = AwsRefused("x", "no such receipt")
    assert post(api, "redrive", {"messageIds": ids[:1]})["moved"] == 1
    services.ledger = Down("ledger")
    assert api("GET", PATH).problem == (503, "unavailable")
    assert api("GET", "/ops/log").problem == (503, "unavailable")


def test_the_log_names_the_tokens_subject_and_why(event_id: int) -> None:
    services = MemoryServices(**JWT_SETTINGS)
    api = Api(services)
    olga = {"Authorization": f"Bearer {local_token('olga', 'operator', 'organiser')}"}
    api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 10}, **olga)
    for switch in ("pause?reason=too%20fast", "pause", "resume", "close?reason=over"):
        assert api("POST", f"/events/1/{switch}", **olga).status == 200
    first = api("GET", "/ops/log?limit=2", **olga).json
    rest = api("GET", f"/ops/log?limit=2&cursor={first['nextCursor']}", **olga).json
    told = [(each["action"], each["reason"]) for page in (first, rest) for each in page["items"]]
    assert told == [("sale-closed", "over"), ("sale-resumed", ""), ("sale-paused", "too fast")]
    assert (rest["items"][0]["actor"], rest["items"][0]["target"]) == ("olga", "event 1")
    assert rest["nextCursor"] is None
    assert api("POST", "/events/1/close?reason=" + "x" * 501, **olga).fields == ["reason"]


def test_an_order_that_an_operator_cancels_is_in_the_log_and_a_buyers_own_is_not() -> None:
    services = MemoryServices(**JWT_SETTINGS)
    api = Api(services)
    roles = {"olga": ("operator", "organiser"), "ann": ("buyer",)}
    bearers = {who: f"Bearer {local_token(who, *has)}" for who, has in roles.items()}
    draft = {"name": "x", "description": "d", "totalTickets": 10}
    api("POST", "/events", draft, Authorization=bearers["olga"])
    for canceller in ("ann", "olga"):
        wish = {"eventId": 1, "quantity": 1}
        order_id = api("POST", "/orders", wish, Authorization=bearers["ann"]).json["id"]
        assert api("DELETE", f"/orders/{order_id}", Authorization=bearers[canceller]).status == 200
    listed = api("GET", "/ops/log", Authorization=bearers["olga"]).json["items"]
    assert [(each["actor"], each["action"], each["target"]) for each in listed] == [
        ("olga", "order-cancelled", f"order {order_id}")
    ]
