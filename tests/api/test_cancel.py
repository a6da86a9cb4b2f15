"""Cancelling over HTTP: a pending, reserved or confirmed order goes, its tickets come back exactly once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.expiry import expire
from chalicelib.reconcile import reconcile
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices


def placed(api: Api, event_id: int = 1, quantity: int = 3, user: str = "ann") -> str:
    body = {"eventId": event_id, "quantity": quantity, "userId": user}
    order_id: str = api("POST", "/orders", body).json["id"]
    return order_id


def available(api: Api, event_id: int = 1) -> int:
    return int(api("GET", f"/events/{event_id}/availability").json["ticketTypes"][0]["available"])


def figures(api: Api, event_id: int = 1) -> dict[str, int]:
    found = api("GET", f"/ops/events/{event_id}/conservation").json
    return {name: found[name] for name in ("sold", "reserved", "pending", "available", "gap") if found[name]}


def test_a_pending_order_is_cancelled_and_its_message_finds_it_so(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = placed(api)
    cancelled = api("DELETE", f"/orders/{order_id}")
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert available(api) == 10
    services.fulfil()
    assert api("GET", f"/orders/{order_id}").json == cancelled.json
    assert figures(api) == {"available": 10}


def test_a_confirmed_order_is_cancelled_and_its_tickets_are_on_sale_again(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = placed(api, quantity=10)
    services.fulfil()
    assert api("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "bob"}).status == 409
    assert api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"
    assert figures(api) == {"available": 10}
    assert api("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "bob"}).status == 202


def test_cancelling_twice_is_the_same_answer_and_gives_back_once(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    for decided in (False, True):
        order_id = placed(api)
        if decided:
            services.fulfil()
        first = api("DELETE", f"/orders/{order_id}")
        again = api("DELETE", f"/orders/{order_id.upper()}")
        assert (again.status, again.json) == (200, first.json)
        assert figures(api) == {"available": 10}


def test_a_cancel_between_decision_and_settlement_gives_back_once(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = placed(api)
    gate, services.gate = services.gate, Unsettling(services.gate)
    services.fulfil()
    assert api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"
    services.gate = gate
    assert figures(api) == {"available": 10}
    services.gate.settle(1, kept=[order_id], returned=[])
    assert figures(api) == {"available": 10}


class Unsettling:
    """A gate that does not hear of what fulfilment has decided, and of everything else."""

    def __init__(self, gate: Any) -> None:
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    def settle(self, event_id: int, kept: list[str], returned: list[str]) -> int:  # noqa: ARG002
        """Settles what is returned, and loses what is kept."""
        return int(self._gate.settle(event_id, kept=[], returned=returned)) if returned else 0


def test_a_cancelled_order_gives_the_buyers_allowance_back(api: Api, services: MemoryServices) -> None:
    api("POST", "/events", {"name": "x", "description": "", "totalTickets": 9, "maxPerBuyer": 3})
    for decided in (False, True, True):
        order_id = placed(api)
        if decided:
            services.fulfil()
        assert api("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "ann"}).problem == (
            409,
            "buyer-limit-exceeded",
        )
        api("DELETE", f"/orders/{order_id}")
    services.fulfil()
    last = placed(api)
    services.fulfil()
    assert api("GET", f"/orders/{last}").json["status"] == "confirmed"


def test_a_rejected_order_cannot_be_cancelled(api: Api, services: MemoryServices, event_id: int) -> None:
    order_id = placed(api)
    api("PATCH", "/events/1", {"maxPerBuyer": 1}, If_Match="*")
    services.fulfil()
    assert api("DELETE", f"/orders/{order_id}").problem == (409, "order-not-cancellable")
    assert figures(api) == {"available": 10}


def test_an_expired_order_cannot_be_cancelled(api: Api, services: MemoryServices) -> None:
    api("POST", "/events", {"name": "x", "description": "", "totalTickets": 9, "holdSeconds": 5})
    order_id = placed(api)
    services.fulfil()
    now = services.clock() + timedelta(seconds=5)
    services.clock = lambda: now
    expire(services)
    assert api("DELETE", f"/orders/{order_id}").problem == (409, "order-not-cancellable")
    assert figures(api) == {"available": 9}


def test_an_order_that_nobody_knows_cannot_be_cancelled(api: Api) -> None:
    answer = api("DELETE", "/orders/0197283e-9c00-7000-8000-000000000001")
    assert answer.problem == (404, "order-not-found")


def test_nothing_is_cancelled_while_the_ledger_is_down(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    order_id = placed(api)
    ledger, services.ledger = services.ledger, Down("ledger")
    assert api("DELETE", f"/orders/{order_id}").problem == (503, "unavailable")
    services.ledger = ledger
    assert figures(api) == {"pending": 3, "available": 7}


def test_a_gate_that_is_down_hides_only_pending_orders(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    decided = placed(api)
    services.fulfil()
    waiting = placed(api)
    gate, services.gate = services.gate, Down("gate")
    assert api("DELETE", f"/orders/{waiting}").problem == (503, "unavailable")
    assert api("DELETE", f"/orders/{decided}").json["status"] == "cancelled"
    services.gate = gate
    reconcile(services)
    assert figures(api) == {"pending": 3, "available": 7}


def test_a_claim_that_could_not_be_returned_is_given_back_by_its_own_message(
    api: Api, services: MemoryServices, event_id: int
) -> None:
    class Deaf(Unsettling):
        """A gate that goes down after it was asked for the claim."""

        def settle(self, *_: Any, **__: Any) -> int:
            raise Unavailable("gate", "down")

        realign = survey = settle

    order_id = placed(api)
    gate, services.gate = services.gate, Deaf(services.gate)
    assert api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"
    services.gate = gate
    services.fulfil()
    assert figures(api) == {"available": 10}


@pytest.mark.parametrize("hold", [0, 60])
def test_the_figures_follow_an_order_through_its_life(api: Api, services: MemoryServices, hold: int) -> None:
    api("POST", "/events", {"name": "x", "description": "", "totalTickets": 9, "holdSeconds": hold})
    order_id = placed(api)
    assert figures(api) == {"pending": 3, "available": 6}
    services.fulfil()
    assert figures(api) == {"reserved" if hold else "sold": 3, "available": 6}
    api("DELETE", f"/orders/{order_id}")
    assert figures(api) == {"available": 9}
