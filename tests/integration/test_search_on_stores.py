"""One order's way through a real PostgreSQL and a real Valkey, searched for and told at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from chalicelib.expiry import expire
from chalicelib.fulfilment import fulfil
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.model import OrderPlaced
from chalicelib.services import Services, utc_now
from chalicelib.settings import Settings
from chalicelib.traces import Letter
from tests.api.conftest import Api
from tests.fakes.services import MemoryQueue
from tests.support.batches import batch_of, ledger_at
from tests.support.letters import Failure, a_failure, a_letter, write
from tests.support.valkey import valkey_server

pytestmark = pytest.mark.slow

HOLD_SECONDS = 600
MESSAGE = "0c7a5b52-5d9e-4f0b-9a43-0a6a4bbd7a01"


class Desk:
    """The service between real stores, as an operator asks it; time stands still until a test moves it."""

    def __init__(self, services: Services, keep: Callable[..., None]) -> None:
        self.services, self.keep = services, keep
        self.api = Api(services)  # type: ignore[arg-type]
        self.now = utc_now()
        services.clock = lambda: self.now

    def later(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)

    def order(self, user: str, key: str) -> OrderPlaced:
        """An accepted order of a new event with a hold."""
        kind = {"name": "Floor", "price": 2500, "capacity": 10}
        body = {"name": "x", "description": "", "ticketTypes": [kind], "holdSeconds": HOLD_SECONDS}
        event_id = self.api("POST", "/events", body).json["id"]
        wish = {"eventId": event_id, "quantity": 1, "userId": user}
        order_id = self.api("POST", "/orders", wish, Idempotency_Key=key).json["id"]
        claim = self.services.gate.look_up(order_id).claim
        assert claim is not None
        return claim

    def work(self) -> None:
        """Decides what is on the queue."""
        bodies: list[str] = self.services.queue.bodies  # type: ignore[attr-defined]
        assert fulfil(self.services, batch_of(*bodies)) == {"batchItemFailures": []}
        bodies.clear()

    def found(self, text: str) -> list[tuple[str, str, list[str]]]:
        """Order id, what of it matched, and where it is."""
        answer = self.api("GET", f"/ops/find?q={text}")
        assert answer.status == 200, answer.text
        return [(item["orderId"], item["matched"], item["places"]) for item in answer.json["items"]]

    def told(self, order: OrderPlaced) -> list[str]:
        """What has happened; a ? where nobody has kept when."""
        answer = self.api("GET", f"/ops/orders/{order.order_id}/timeline").json
        return [entry["what"] + ("" if entry["at"] else "?") for entry in answer["entries"]]


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
def desk(database: str, valkey_url: str) -> Iterator[Desk]:
    client = connect(valkey_url, timeout_ms=5_000)
    client.flushall()
    with ledger_at(database, connections=2) as ledger, psycopg.connect(database, autocommit=True) as rows:

        def keep(*kept: Letter | Failure) -> None:
            write(rows, *kept)

        services = Services(Settings(log_level="error"))
        services.__dict__.update(gate=Gate(client), ledger=ledger, queue=MemoryQueue())
        yield Desk(services, keep)
    client.close()


def dead(order: OrderPlaced, now: Any) -> Letter:
    whose = {"order_id": order.order_id, "event_id": order.event_id, "user_id": order.user_id}
    return a_letter(MESSAGE, **whose, recorded_at=now, failures=2)


def test_an_order_is_followed_from_its_acceptance_to_its_cancellation(desk: Desk) -> None:
    order = desk.order("ann", "key-1")
    assert desk.told(order) == ["accepted", "queued"]

    desk.later(2)
    desk.keep(a_failure(MESSAGE, failed_at=desk.now))
    desk.later(2)
    letter = dead(order, desk.now)
    desk.keep(a_failure(MESSAGE, failed_at=desk.now, receive_count=2), letter)
    failed = ["attempt-failed", "attempt-failed"]
    assert desk.told(order) == ["accepted", "queued", *failed]

    desk.later(1)
    desk.keep(letter := replace(letter, moved_at=desk.now))
    assert desk.told(order) == ["accepted", "queued", *failed, "dead-lettered"]
    desk.later(60)
    desk.keep(replace(letter, redriven_at=desk.now))
    failed += ["dead-lettered", "redriven"]
    assert desk.told(order) == ["accepted", "queued", *failed]

    desk.later(1)
    desk.work()
    way = ["accepted", "queued?", *failed, "decided", "settled?"]
    assert desk.told(order) == way
    desk.later(30)
    notice = {"reference": "r-1", "orderId": order.order_id, "amount": 2500, "currency": "EUR"}
    desk.api.pay(desk.services, notice | {"outcome": "succeeded"})  # type: ignore[arg-type]
    assert desk.told(order) == [*way, "paid"]
    desk.later(30)
    assert desk.api("DELETE", f"/orders/{order.order_id}").status == 200
    assert desk.told(order) == [*way, "paid", "cancelled", "refund-due"]

    entries = desk.api("GET", f"/ops/orders/{order.order_id}/timeline").json["entries"]
    times = [entry["at"] for entry in entries if entry["at"]]
    assert times == sorted(times)
    assert [entry["detail"] for entry in entries if entry["what"] == "decided"] == ["reserved"]


def test_an_order_that_nobody_paid_is_followed_to_its_expiry(desk: Desk) -> None:
    order = desk.order("ann", "key-1")
    desk.work()
    desk.later(HOLD_SECONDS + 1)
    assert expire(desk.services)["expired"] == 1
    assert desk.told(order) == ["accepted", "queued?", "decided", "settled?", "expired"]


def test_an_order_is_found_in_every_way_while_it_waits_and_after(desk: Desk) -> None:
    desk.order("bob", "key-2")
    order = desk.order("ann", "key-1")
    desk.keep(dead(order, desk.now))
    ways = {order.order_id: "order-id", "ann": "buyer", "key-1": "idempotency-key", MESSAGE: "message-id"}
    for places in (["gate", "dead-letters"], ["ledger", "dead-letters"]):
        for text, way in ways.items():
            assert desk.found(text) == [(order.order_id, way, places)]
        for text in ("eve", "%25", "an_", "KEY-1"):
            assert desk.found(text) == []
        desk.work()
