"""What the service counts: every metric of the table comes from something that really happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.expiry import expire
from chalicelib.fulfilment import fulfil
from chalicelib.metrics import METRICS
from chalicelib.ops.watch import watch
from chalicelib.reconcile import reconcile
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import batch_of, failures
from tests.support.emf import faults, metric_lines, points, total

EVENT = {"name": "x", "description": "d", "ticketTypes": [{"name": "x", "price": 100, "capacity": 2}]}


class Told:
    """What was written since the last look, as metrics."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def lines(self) -> list[dict[str, Any]]:
        """Lines with metrics, each of which CloudWatch can read."""
        found = metric_lines(self._capfd.readouterr().out)
        assert [faults(line) for line in found] == [[]] * len(found)
        return found

    def names(self) -> set[str]:
        """The metrics of all of them."""
        return {point.name for point in points(self.lines())}


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Iterator[Told]:
    yield Told(capfd)
    capfd.readouterr()


class Aside:
    """The queue's other end, which takes everything."""

    def delay(self, _: list[tuple[str, int]]) -> int:
        """How many it could not do."""
        return 0

    def bury(self, body: str, attributes: dict[str, str], group: str | None = None) -> None:
        """Whatever it is."""


def an_event(api: Api, **terms: Any) -> int:
    return int(api("POST", "/events", EVENT | terms).json["id"])


def an_order(event_id: int, user: str = "ann", **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "quantity": 1, "userId": user, **more}


def handle(services: MemoryServices, *more: str) -> list[str]:
    """Hands everything on the queue to the real function; the message ids that come again."""
    services.__dict__.setdefault("returns", Aside())
    bodies = [*services.queue.bodies, *more]
    services.queue.bodies.clear()
    return failures(fulfil(services, batch_of(*bodies)))


def test_an_order_that_is_accepted_and_its_replay(api: Api, event_id: int, told: Told) -> None:
    told.lines()
    for _ in range(2):
        assert api("POST", "/orders", an_order(event_id), Idempotency_Key="k").status == 202
    accepted, replayed = told.lines()
    assert accepted["event"] == "order-accepted"
    assert total([accepted], "Accepted", Stage="local") == 1
    assert total([accepted], "Accepted", Stage="local", EventId=str(event_id)) == 1
    assert total([replayed], "Replayed", Stage="local") == 1
    assert 0 < accepted["AcceptLatency"] < 10_000
    assert 0 < replayed["AcceptLatency"] < 10_000
    assert {"Accepted", "Replayed"} & accepted.keys() & replayed.keys() == set()


REFUSED: dict[str, tuple[Any, bool]] = {
    "sold-out": (an_order(1), True),
    "ticket-type-not-found": (
        {"eventId": 1, "userId": "ann", "items": [{"ticketTypeId": 99, "quantity": 1}]},
        True,
    ),
    "event-not-found": (an_order(404), False),
    "malformed-body": ("{", False),
    "invalid-request": (an_order(1, quantity=0), False),
}


@pytest.mark.parametrize("code", REFUSED)
def test_an_order_that_is_refused_is_counted_by_its_code(
    api: Api, services: MemoryServices, told: Told, code: str
) -> None:
    """By its event only where there is one: a stranger's numbers must not become metrics."""
    an_event(api)
    for user in ("bob", "cid"):
        api("POST", "/orders", an_order(1, user))
    told.lines()
    body, counts_by_event = REFUSED[code]
    assert api("POST", "/orders", body).problem[1] == code
    (line,) = told.lines()
    assert (line["event"], line["code"]) == ("order-refused", code)
    assert total([line], "Refused", Stage="local") == total([line], "Refused", Stage="local", Code=code) == 1
    of_event = [point for point in points([line]) if "EventId" in point.dimensions]
    assert len(of_event) == (2 if counts_by_event else 0)
    assert line["RefuseLatency"] > 0


def test_a_door_that_cannot_answer_counts_as_unavailable_and_not_as_refused(
    api: Api, services: MemoryServices, event_id: int, told: Told
) -> None:
    services.queue = Down("queue")
    told.lines()
    assert api("POST", "/orders", an_order(event_id)).status == 503
    assert api("GET", "/ready").status == 503
    (line,) = told.lines()
    assert {point.name for point in points([line])} == {"Unavailable"}
    assert (line["event"], line["level"]) == ("not-now", "warning")


def test_answers_are_counted_by_event_and_reason_and_once(
    api: Api, services: MemoryServices, told: Told
) -> None:
    confirming, reserving = an_event(api), an_event(api, holdSeconds=60)
    for event_id in (confirming, reserving):
        for user in ("ann", "bob"):
            api("POST", "/orders", an_order(event_id, user))
    services.wipe_gate()  # it lets two more in, for whom the ledger has nothing left
    for user in ("cid", "dan"):
        api("POST", "/orders", an_order(confirming, user))
    told.lines()
    bodies = list(services.queue.bodies)
    assert handle(services) == []
    said = told.lines()
    (batch,) = [line for line in said if line["event"] == "batch-applied"]
    assert (batch["BatchSize"], batch["Retries"], batch["VersionConflicts"]) == (6, 0, 0)
    assert (batch["orders"], batch["kept"], batch["BreakerOpen"]) == (6, 4, 0)
    assert batch["ApplyLatency"] > 0
    one, other = {"Stage": "local", "EventId": "1"}, {"Stage": "local", "EventId": "2"}
    assert total(said, "Confirmed", **one) == total(said, "Confirmed", Stage="local") == 2
    assert total(said, "Reserved", **other) == total(said, "Reserved", Stage="local") == 2
    assert total(said, "Rejected", **one) == total(said, "Rejected", Stage="local", Code="sold-out") == 2
    latencies = [point for point in points(said) if point.name == "DecideLatency" and point.dimensions == one]
    assert sum(len(point.values) for point in latencies) == 4
    assert handle(services, *bodies) == []
    assert {point.name for point in points(told.lines())} == {
        "BatchSize",
        "ApplyLatency",
        "VersionConflicts",
        "Retries",
        "BreakerOpen",
    }, "a message that comes again has nothing new to say"


def test_a_ledger_that_is_down_opens_the_breaker_and_sends_everybody_back(
    api: Api, services: MemoryServices, event_id: int, told: Told
) -> None:
    api("POST", "/orders", an_order(event_id))
    services.ledger = Down("ledger")
    told.lines()
    assert handle(services) == ["m0"]
    (line,) = told.lines()
    assert (line["BreakerOpen"], line["Retries"], line["BatchSize"]) == (1, 1, 1)
    assert watch(services)["BreakerOpen"] == 1


def test_poison_is_counted_when_it_is_moved_aside(services: MemoryServices, told: Told) -> None:
    for _ in range(5):
        handle(services, "{")
    assert total(told.lines(), "DeadLettered", Stage="local") == 1


def test_a_payment_counts_once_and_so_does_what_it_confirms(
    api: Api, services: MemoryServices, told: Told
) -> None:
    event_id = an_event(api, holdSeconds=60)
    order_id = api("POST", "/orders", an_order(event_id)).json["id"]
    handle(services)
    told.lines()
    currency = api("GET", f"/orders/{order_id}").json["currency"]
    paid = {
        "reference": "r-1",
        "orderId": order_id,
        "amount": 100,
        "currency": currency,
        "outcome": "succeeded",
    }
    for _ in range(2):
        assert api.pay(services, paid).json["state"] == "applied"
    assert api.pay(services, paid | {"reference": "r-2", "amount": 99}).json["state"] == "refused"
    said = told.lines()
    assert total(said, "Payments", Stage="local") == 2
    assert total(said, "Payments", Stage="local", Code="applied") == 1
    assert total(said, "Payments", Stage="local", Code="refused") == 1
    assert total(said, "Confirmed", Stage="local", EventId=str(event_id)) == 1


def test_whoever_cancels_again_is_not_counted_again(
    api: Api, services: MemoryServices, event_id: int, told: Told
) -> None:
    orders = [api("POST", "/orders", an_order(event_id, user)).json["id"] for user in ("ann", "bob")]
    handle(services)
    pending = api("POST", "/orders", an_order(event_id, "cid")).json["id"]
    told.lines()
    for order_id in (orders[0], orders[0], pending, pending):
        assert api("DELETE", f"/orders/{order_id}").status == 200
    assert total(told.lines(), "Cancelled", Stage="local", EventId=str(event_id)) == 2


def test_holds_that_end_are_counted_by_event(api: Api, services: MemoryServices, told: Told) -> None:
    event_id = an_event(api, holdSeconds=60)
    for user in ("ann", "bob"):
        api("POST", "/orders", an_order(event_id, user))
    handle(services)
    told.lines()
    now = services.clock() + timedelta(seconds=61)
    services.clock = lambda: now
    expire(services)
    said = told.lines()
    assert total(said, "Expired", Stage="local") == 2
    assert total(said, "Expired", Stage="local", EventId=str(event_id)) == 2


def test_a_gap_is_told_before_it_is_mended_and_again_when_it_is_gone(
    api: Api, services: MemoryServices, event_id: int, told: Told
) -> None:
    quiet = an_event(api)
    api("GET", f"/events/{event_id}/availability")
    api("GET", f"/events/{quiet}/availability")
    reconcile(services)
    (type_id,) = services.gate.survey(event_id).stock
    services.gate.realign(event_id, services.gate.survey(event_id).epoch, {type_id: 3})
    stage, of_event = {"Stage": "local"}, {"Stage": "local", "EventId": str(event_id)}
    drifts: list[tuple[float, float, set[str]]] = []
    for _ in range(3):
        told.lines()
        reconcile(services)
        said = told.lines()
        named = {point.dimensions["EventId"] for point in points(said) if "EventId" in point.dimensions}
        drifts.append((total(said, "GateDrift", **stage), total(said, "ConservationGap", **of_event), named))
    assert drifts == [(3, 3, {str(event_id)}), (0, 0, {str(event_id)}), (0, 0, set())]


def test_every_metric_of_the_table_is_told_by_somebody(
    api: Api, services: MemoryServices, told: Told
) -> None:
    assert everything(api, services, told) == set(METRICS)


def test_a_service_that_never_pays_lacks_payments(api: Api, services: MemoryServices, told: Told) -> None:
    """The control: a metric that nobody tells is missed."""
    assert everything(api, services, told, pays=False) == set(METRICS) - {"Payments"}


def everything(api: Api, services: MemoryServices, told: Told, *, pays: bool = True) -> set[str]:
    """A sale in which everything happens that is counted; the names of what was."""
    confirming, reserving = an_event(api), an_event(api, holdSeconds=60)
    for event_id in (confirming, reserving):
        for user in ("ann", "bob", "cid"):
            api("POST", "/orders", an_order(event_id, user), Idempotency_Key=f"{user}-{event_id}")
    api("POST", "/orders", an_order(confirming), Idempotency_Key=f"ann-{confirming}")
    services.wipe_gate()
    api("POST", "/orders", an_order(confirming, "eve"))
    handle(services)
    first = api("GET", f"/orders?eventId={confirming}&status=confirmed").json["items"][0]["id"]
    for _ in range(5):
        handle(services, "{")
    if pays:
        notice = {"reference": "r", "orderId": first, "amount": 1, "currency": "EUR"}
        api.pay(services, notice | {"outcome": "succeeded"})
    api("DELETE", f"/orders/{first}")
    now = services.clock() + timedelta(seconds=61)
    services.clock = lambda: now
    expire(services)
    reconcile(services)
    watch(services)
    services.queue = Down("queue")
    api("POST", "/orders", an_order(confirming, "fay"))
    return told.names()
