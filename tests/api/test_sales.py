"""The sale and the queue as operators see them, and the switch of fulfilment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.aws.mapping import MappingState
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices
from tests.support.tokens import JWT_SETTINGS, local_token
from tests.support.waiting import until


def buy(api: Api, quantity: int = 1, user: str = "u") -> Any:
    return api("POST", "/orders", {"eventId": 1, "quantity": quantity, "userId": user})


def sale(api: Api, query: str = "") -> Any:
    answer = api("GET", f"/ops/events/1/sale{query}")
    assert answer.status == 200, answer.text
    return answer.json


def test_a_sale_shows_where_its_tickets_are(api: Api, services: MemoryServices, event_id: int) -> None:
    buy(api, 2, "ann")
    buy(api, 3, "bob")
    services.fulfil()
    buy(api, 1, "cid")
    found = sale(api)
    places = ("capacity", "sold", "reserved", "pending", "available", "gap", "buyers")
    assert {name: found[name] for name in places} == {
        "capacity": 10, "sold": 5, "reserved": 0, "pending": 1, "available": 4, "gap": 0, "buyers": 2,
    }  # fmt: skip
    assert (found["eventId"], found["name"], found["status"]) == (1, "x", "on-sale")
    assert found["soldOutAt"] is None
    assert found["curve"]["bucketSeconds"] == 1
    assert (len(found["curve"]["sold"]), sum(found["curve"]["sold"])) == (300, 5)
    assert found["forecast"]["ticketsPerSecond"] > 0
    assert found["forecast"]["soldOutAt"] > found["asOf"]


def test_the_curve_and_what_was_before_it_are_all_that_is_taken(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    buy(api, 2)
    services.fulfil()
    for later, before, shown in ((0, 0, 2), (3_600, 2, 0), (-3_600, 0, 0)):
        ends_at = (datetime.now(UTC) + timedelta(seconds=later)).strftime("%Y-%m-%dT%H:%M:%SZ")
        curve = sale(api, f"?seconds=60&endsAt={ends_at}")["curve"]
        if later == 0:  # the order may be in the second that has begun
            assert curve["soldBefore"] + sum(curve["sold"]) <= shown
        else:
            assert (curve["soldBefore"], sum(curve["sold"])) == (before, shown)


def test_a_sale_that_is_sold_out_says_since_when_and_after_how_long(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    buy(api, 10)
    services.fulfil()
    found = sale(api)
    assert found["acceptedAt"] <= found["soldOutAt"] <= found["asOf"]
    assert 0 <= found["timeToSellOutSeconds"] < 60
    assert found["forecast"]["soldOutAt"] is None


def test_tickets_that_come_back_end_being_sold_out(api: Api, services: MemoryServices, event_id: int) -> None:
    order = buy(api, 10).json["id"]
    services.fulfil()
    api("DELETE", f"/orders/{order}")
    assert (sale(api)["soldOutAt"], sale(api)["timeToSellOutSeconds"]) == (None, None)


def test_what_was_rejected_is_counted_by_reason(api: Api, services: MemoryServices, event_id: int) -> None:
    buy(api, 6)
    services.wipe_gate()
    buy(api, 6)
    services.fulfil()
    assert sale(api)["rejected"] == [{"code": "not-enough-tickets", "count": 1}]


def test_refusals_and_attempts_come_from_cloudwatch(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    now = int(datetime.now(UTC).timestamp())
    event = {"Stage": "local", "EventId": "1"}
    put = services.cloudwatch.put
    for code, at, count in (
        ("sold-out", 2, 30),
        ("sold-out", 1, 10),
        ("sold-out", 3_000, 99),
        ("sale-paused", 4, 2),
    ):
        put("Onsale", "Refused", event | {"Code": code}, now - at, count)
    put("Onsale", "Refused", event, now - 2, 42)
    put("Onsale", "Accepted", event, now - 3, 8)
    put("Onsale", "Accepted", event | {"EventId": "2"}, now - 3, 99)
    found = sale(api)
    assert found["refused"] == [{"code": "sold-out", "count": 40}, {"code": "sale-paused", "count": 2}]
    assert found["attemptsPerSecond"] == 5.0


def test_a_sale_is_shown_without_cloudwatch(api: Api, services: MemoryServices, event_id: int) -> None:
    services.cloudwatch = Down("cloudwatch")
    found = sale(api)
    assert (found["refused"], found["attemptsPerSecond"]) == (None, None)
    assert (found["available"], found["rejected"]) == (10, [])


@pytest.mark.parametrize("part", ["gate", "ledger"])
def test_without_gate_or_ledger_there_is_no_sale_to_show(
    api: Api, services: MemoryServices, event_id: int, part: str
) -> None:
    setattr(services, part, Down(part))
    assert api("GET", "/ops/events/1/sale").problem == (503, "unavailable")


def test_an_unknown_event_has_no_sale(api: Api) -> None:
    assert api("GET", "/ops/events/9/sale").problem == (404, "event-not-found")


@pytest.mark.parametrize(
    "query", ["seconds=0", "seconds=18001", "seconds=x", "endsAt=noon", "endsAt=null", "x=1"]
)
def test_a_frame_that_cannot_be_is_refused(api: Api, event_id: int, query: str) -> None:
    assert api("GET", f"/ops/events/1/sale?{query}").fields == [query.partition("=")[0]]


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_any_moment_may_be_asked_for(api: Api, event_id: int, year: str) -> None:
    assert len(sale(api, f"?seconds=18000&endsAt={year}-12-31T23:59:59Z")["curve"]["sold"]) == 300


def test_the_queue_shows_what_waits_and_for_how_long(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    assert api("GET", "/ops/queue").json["oldestAgeSeconds"] == 0
    buy(api)
    services.depths.dead = 3
    minute = int(datetime.now(UTC).timestamp()) // 60 * 60
    for at, done in ((minute - 60, 120), (minute, 7)):
        services.cloudwatch.put("AWS/SQS", "NumberOfMessagesDeleted", {"QueueName": ""}, at, done)
    until(
        lambda: 0 < api("GET", "/ops/queue").json["oldestAgeSeconds"] < 60, "the order has waited for a while"
    )
    found = api("GET", "/ops/queue").json
    del found["oldestAgeSeconds"]
    assert found.pop("asOf")[-1] == "Z"
    assert found == {
        "waiting": 1,
        "inFlight": 0,
        "delayed": 0,
        "dead": 3,
        "donePerMinute": 120.0,
        "fulfilment": {
            "state": "Enabled", "batchSize": 100, "windowSeconds": 1, "maximumConcurrency": None,
        },
    }  # fmt: skip


def test_the_queue_is_shown_without_all_that_it_can_be_shown_without(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    services.gate, services.cloudwatch, services.fulfilment = Down("gate"), Down("cloudwatch"), Down("lambda")
    found = api("GET", "/ops/queue").json
    assert (found["oldestAgeSeconds"], found["donePerMinute"]) == (None, None)
    assert found["fulfilment"]["state"] == MappingState.UNKNOWN
    services.fulfilment = None
    assert api("GET", "/ops/queue").json["fulfilment"]["state"] == MappingState.UNKNOWN


def test_without_sqs_there_is_no_queue_to_show(api: Api, services: MemoryServices) -> None:
    services.depths = Down("queue")
    assert api("GET", "/ops/queue").problem == (503, "unavailable")


def test_fulfilment_is_paused_and_resumed_and_that_is_written_down(
    api: Api, services: MemoryServices
) -> None:
    paused = api("POST", "/ops/fulfilment/pause", {"reason": "the ledger is being moved"})
    assert (paused.status, paused.json["state"]) == (200, "Disabling")
    assert api("GET", "/ops/queue").json["fulfilment"]["state"] == "Disabled"
    assert api("POST", "/ops/fulfilment/resume", {}).json["state"] == "Enabling"
    assert api("GET", "/ops/queue").json["fulfilment"]["state"] == "Enabled"
    records = [
        (each.actor, each.action, each.target, each.reason) for each in services.ledger.actions(None, 9)
    ]
    assert records == [
        ("anybody", "fulfilment-resumed", "fulfilment", ""),
        ("anybody", "fulfilment-paused", "fulfilment", "the ledger is being moved"),
    ]


def test_a_pause_works_while_the_ledger_is_down_and_says_that_it_is_not_written_down(
    api: Api, services: MemoryServices
) -> None:
    ledger, services.ledger = services.ledger, Down("ledger")
    answer = api("POST", "/ops/fulfilment/pause", {})
    assert answer.problem == (503, "unavailable")
    assert "fulfilment-paused" in answer.json["detail"]
    assert not services.fulfilment.enabled
    services.ledger = ledger
    assert api("POST", "/ops/fulfilment/pause", {}).status == 200
    assert [each.action for each in ledger.actions(None, 9)] == ["fulfilment-paused"]


def test_what_lambda_does_not_do_is_not_written_down(api: Api, services: MemoryServices) -> None:
    services.fulfilment = Down("fulfilment")
    assert api("POST", "/ops/fulfilment/pause", {}).problem == (503, "unavailable")
    assert services.ledger.actions(None, 9) == []


def test_a_deployment_that_names_no_mapping_cannot_be_paused(api: Api, services: MemoryServices) -> None:
    services.fulfilment = None
    assert api("POST", "/ops/fulfilment/pause", {}).problem == (409, "fulfilment-not-switchable")


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"reason": "\u0000"}, {"reason": 1}, {"x": 1}])
def test_a_reason_is_a_text_of_some_length(api: Api, body: Any) -> None:
    assert len(api("POST", "/ops/fulfilment/pause", body).fields) == 1


def test_everybody_may_change_everything_in_open_mode(api: Api) -> None:
    assert api("GET", "/ops/me").json == {
        "subject": None, "roles": [], "mayChange": True, "authMode": "open", "stage": "local",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "may_change"), [(["operator"], True), (["staff"], False), (["buyer", "organiser"], False)]
)
def test_a_token_says_who_somebody_is(roles: list[str], may_change: bool) -> None:
    guarded = Api(MemoryServices(**JWT_SETTINGS))
    found = guarded("GET", "/ops/me", Authorization=f"Bearer {local_token('olga', *roles)}").json
    assert found == {
        "subject": "olga", "roles": roles, "mayChange": may_change, "authMode": "jwt", "stage": "local",
    }  # fmt: skip


def test_who_paused_is_the_tokens_subject() -> None:
    services = MemoryServices(**JWT_SETTINGS)
    token = f"Bearer {local_token('olga', 'operator')}"
    assert Api(services)("POST", "/ops/fulfilment/pause", {}, Authorization=token).status == 200
    assert services.ledger.actions(None, 9)[0].actor == "olga"
