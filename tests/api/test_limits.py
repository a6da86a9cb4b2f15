"""Too many requests, as a caller sees it: 429, which limit it was, and when to come again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Answer, Api
from tests.fakes.services import MemoryServices

EVENT: dict[str, Any] = {"name": "x", "description": "d", "totalTickets": 9}
LIMITS = ("buyerRateLimit", "clientRateLimit", "maxCancellations")


def an_event(api: Api, **terms: Any) -> int:
    made = api("POST", "/events", EVENT | terms)
    assert made.status == 201
    return int(made.json["id"])


def order(api: Api, event_id: int, user: str = "ann", **headers: str) -> Answer:
    return api("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": user}, **headers)


def test_limits_are_generous_unless_they_are_named_and_null_takes_them_away(api: Api) -> None:
    made = api("POST", "/events", EVENT)
    assert [made.json[name] for name in LIMITS] == [120, 6000, 20]
    named = api("POST", "/events", EVENT | dict(zip(LIMITS, (1, 100_000, None), strict=True)))
    assert [named.json[name] for name in LIMITS] == [1, 100_000, None]
    edited = api("PATCH", "/events/1", dict.fromkeys(LIMITS), If_Match="*")
    assert [edited.json[name] for name in LIMITS] == [None, None, None]
    again = api("PATCH", "/events/1", dict(zip(LIMITS, (3, 4, 5), strict=True)), If_Match="*")
    assert [again.json[name] for name in LIMITS] == [3, 4, 5]
    assert [api("GET", "/events/1").json[name] for name in LIMITS] == [3, 4, 5]


def test_a_buyer_who_asks_too_often_hears_which_limit_it_was_and_when_to_come_again(api: Api) -> None:
    event_id = an_event(api, buyerRateLimit=2)
    assert [order(api, event_id).status for _ in range(2)] == [202, 202]
    refused = order(api, event_id)
    assert refused.problem == (429, "rate-limited")
    assert refused.headers["ratelimit-policy"] == '"buyer";q=2;w=60'
    wait = int(refused.headers["retry-after"])
    assert wait in {29, 30}
    assert refused.headers["ratelimit"] == f'"buyer";r=0;t={wait}'
    assert refused.headers["x-request-id"]
    assert "ann" not in refused.text
    assert order(api, event_id, "bob").status == 202


def test_an_accepted_order_says_what_is_left(api: Api) -> None:
    event_id = an_event(api, buyerRateLimit=60)
    accepted = order(api, event_id)
    assert accepted.headers["ratelimit-policy"] == '"buyer";q=60;w=60'
    assert accepted.headers["ratelimit"] == '"buyer";r=59;t=1'
    unlimited = order(api, an_event(api, buyerRateLimit=None))
    assert unlimited.status == 202
    assert "ratelimit" not in unlimited.headers


def test_one_address_is_one_client_whatever_names_it_gives(api: Api) -> None:
    event_id = an_event(api, clientRateLimit=2)
    api.address = "192.0.2.7"
    answers = [order(api, event_id, f"buyer {number}") for number in range(3)]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert answers[-1].headers["ratelimit-policy"] == '"client";q=2;w=60'
    assert "192.0.2.7" not in answers[-1].text
    api.address = "192.0.2.8"
    assert order(api, event_id).status == 202


def test_what_a_caller_says_of_his_own_address_is_not_believed(api: Api) -> None:
    event_id = an_event(api, clientRateLimit=1)
    told = [
        order(
            api, event_id, f"buyer {number}", X_Forwarded_For=f"203.0.113.{number}", Forwarded="for=1.2.3.4"
        )
        for number in range(3)
    ]
    assert [answer.status for answer in told] == [202, 429, 429]


def test_requests_without_an_address_are_one_client_together(api: Api) -> None:
    event_id = an_event(api, clientRateLimit=1)
    api.address = None
    assert [order(api, event_id, user).status for user in ("ann", "bob")] == [202, 429]


def test_refusals_count_and_the_same_key_again_counts(api: Api) -> None:
    event_id = an_event(api, totalTickets=1, buyerRateLimit=3)
    keyed = [order(api, event_id, Idempotency_Key="k") for _ in range(2)]
    assert [answer.headers.get("idempotent-replayed") for answer in keyed] == [None, "true"]
    assert order(api, event_id).problem == (409, "sold-out")
    assert order(api, event_id).problem == (429, "rate-limited")
    assert order(api, event_id, Idempotency_Key="k").problem == (429, "rate-limited")


def test_an_event_is_not_limited_by_what_is_asked_of_another(api: Api) -> None:
    first, second = (an_event(api, buyerRateLimit=1, clientRateLimit=1) for _ in range(2))
    assert [order(api, id_).status for id_ in (first, second, first, second)] == [202, 202, 429, 429]


def test_a_body_that_breaks_a_rule_is_refused_before_anybody_counts(api: Api) -> None:
    event_id = an_event(api, buyerRateLimit=1)
    for _ in range(3):
        assert api("POST", "/orders", {"eventId": event_id, "quantity": 0, "userId": "ann"}).status == 422
    assert order(api, event_id).status == 202


def test_reading_and_cancelling_are_not_limited_here(api: Api) -> None:
    event_id = an_event(api, buyerRateLimit=1, clientRateLimit=1)
    where = order(api, event_id).headers["location"]
    assert {api("GET", where).status for _ in range(20)} == {200}
    assert {api("DELETE", where).status for _ in range(3)} == {200}


@pytest.mark.parametrize("decided", [True, False], ids=["decided", "pending"])
def test_whoever_buys_and_cancels_and_buys_again_is_stopped_and_may_still_read(
    api: Api, services: MemoryServices, decided: bool
) -> None:
    event_id = an_event(api, maxCancellations=2, holdSeconds=60)
    for _ in range(2):
        bought = order(api, event_id)
        if decided:
            services.fulfil()
        assert api("DELETE", bought.headers["location"]).json["status"] == "cancelled"
        services.fulfil()
    third, other = order(api, event_id), order(api, event_id, "bob")
    services.fulfil()
    answer = api("GET", third.headers["location"]).json
    assert (answer["status"], answer["reason"]) == ("rejected", "buyer-limit-exceeded")
    assert "given back" in answer["detail"]
    assert api("GET", other.headers["location"]).json["status"] == "reserved"
    assert api("GET", f"/events/{event_id}/availability").json["ticketTypes"][0]["available"] == 8
