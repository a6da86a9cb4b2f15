"""The operator's switches: a pause refuses new orders and finishes accepted ones; closed is for good."""

from __future__ import annotations

import pytest

from chalicelib.reconcile import reconcile
from tests.api.conftest import Answer, Api
from tests.fakes.services import Down, MemoryServices


def order(api: Api) -> Answer:
    return api("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "u"})


def test_a_pause_refuses_new_orders_and_lets_accepted_ones_finish(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    accepted = order(api).json["id"]
    paused = api("POST", "/events/1/pause")
    assert (paused.status, paused.headers["etag"]) == (200, '"2"')
    assert (paused.json["salesState"], paused.json["status"]) == ("paused", "paused")
    assert order(api).problem == (409, "sale-paused")
    services.fulfil()
    assert api("GET", f"/orders/{accepted}").json["status"] == "confirmed"
    resumed = api("POST", "/events/1/resume").json
    assert (resumed["salesState"], resumed["status"], resumed["version"]) == ("open", "on-sale", 3)
    assert order(api).status == 202


def test_a_closed_sale_stays_closed(api: Api, event_id: int) -> None:
    order(api)
    closed = api("POST", "/events/1/close").json
    assert (closed["salesState"], closed["status"]) == ("closed", "closed")
    assert order(api).problem == (409, "sale-closed")
    for switch in ("pause", "resume"):
        assert api("POST", f"/events/1/{switch}").problem == (409, "sale-closed")
    assert api("POST", "/events/1/close").json == closed


@pytest.mark.parametrize("switch", ["pause", "close"])
def test_switching_twice_changes_nothing(api: Api, event_id: int, switch: str) -> None:
    first = api("POST", f"/events/1/{switch}")
    again = api("POST", f"/events/1/{switch}")
    assert (again.status, again.json, again.headers["etag"]) == (200, first.json, first.headers["etag"])


def test_an_open_sale_may_be_resumed(api: Api, event_id: int) -> None:
    assert api("POST", "/events/1/resume").json["version"] == 1


@pytest.mark.parametrize("switch", ["pause", "resume", "close"])
def test_an_unknown_event_cannot_be_switched(api: Api, switch: str) -> None:
    assert api("POST", f"/events/9/{switch}").problem == (404, "event-not-found")


def test_a_replay_of_an_accepted_order_is_answered_during_a_pause(api: Api, event_id: int) -> None:
    body = {"eventId": 1, "quantity": 1, "userId": "u"}
    first = api("POST", "/orders", body, Idempotency_Key="k")
    api("POST", "/events/1/pause")
    assert api("POST", "/orders", body, Idempotency_Key="k").json == first.json


def test_a_switch_that_the_gate_has_not_heard_of_is_503_and_asking_again_throws_it(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order(api)
    gate, services.gate = services.gate, Down("gate")
    assert api("POST", "/events/1/pause").problem == (503, "unavailable")
    services.gate = gate
    assert order(api).status == 202
    assert api("POST", "/events/1/pause").status == 200
    assert order(api).problem == (409, "sale-paused")


def test_a_switch_that_nobody_asks_for_again_reaches_the_gate_by_the_reconciler(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order(api)
    gate, services.gate = services.gate, Down("gate")
    api("POST", "/events/1/pause")
    services.gate = gate
    reconcile(services)
    assert order(api).problem == (409, "sale-paused")
