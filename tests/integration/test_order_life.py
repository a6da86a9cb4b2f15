"""An order's whole life over HTTP events, in a real PostgreSQL and a real Valkey: hold, pay, expire, cancel.

The storm lets buyers, a provider, an operator and two workers act at once, and has its end audited by what
`python -m infra audit` audits with; the negative controls show that the audit would have noticed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import valkey

from chalicelib.expiry import expire
from chalicelib.fulfilment import fulfil
from chalicelib.gate import keys
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.reconcile import reconcile
from chalicelib.services import Services, utc_now
from chalicelib.settings import Settings
from infra.audit.checks import judge
from infra.audit.evidence import Evidence, QueueHeld
from infra.audit.read_gate import read_epoch, read_gate
from infra.audit.read_ledger import read_ledger
from infra.rush.verdict import Audit
from tests.api.conftest import Api
from tests.fakes.services import MemoryQueue
from tests.support.batches import batch_of, failures, ledger_at
from tests.support.valkey import valkey_server
from tests.support.waiting import until

pytestmark = pytest.mark.slow

HOLD_SECONDS = 5
BUYERS, TICKETS, THREADS = 240, 60, 8


class House:
    """The service between real stores, with a queue in memory and a clock that a test moves."""

    def __init__(self, services: Services, dsn: str, valkey_url: str) -> None:
        self.services = services
        self.api = Api(services)  # type: ignore[arg-type]
        self.queue: MemoryQueue = services.queue  # type: ignore[assignment]
        self.ahead_seconds = 0.0
        self._dsn, self._valkey_url = dsn, valkey_url
        self._taking = threading.Lock()
        services.clock = lambda: utc_now() + timedelta(seconds=self.ahead_seconds)

    def event(self, **terms: Any) -> int:
        """Makes an event with tickets at 25.00 that are held for some seconds; nobody asks too often."""
        kind = {"name": "Floor", "price": 2500, "capacity": TICKETS}
        body = {"name": "x", "description": "", "ticketTypes": [kind], "holdSeconds": HOLD_SECONDS}
        free = dict.fromkeys(("buyerRateLimit", "clientRateLimit", "maxCancellations"))
        return int(self.api("POST", "/events", body | free | terms).json["id"])

    def order(self, event_id: int, quantity: int = 2, user: str = "ann", **headers: str) -> Any:
        """Asks for tickets; the whole answer."""
        body = {"eventId": event_id, "quantity": quantity, "userId": user}
        return self.api("POST", "/orders", body, **headers)

    def work(self, copies: int = 1) -> None:
        """Decides what is on the queue, each message `copies` times; what fails is put back."""
        with self._taking:
            bodies = list(self.queue.bodies)
            del self.queue.bodies[: len(bodies)]
        for _ in range(copies):
            for start in range(0, len(bodies), 20):
                batch = bodies[start : start + 20]
                failed = failures(fulfil(self.services, batch_of(*batch)))
                self.queue.bodies.extend(batch[int(name[1:])] for name in failed)

    def pay(self, order_id: str, reference: str, amount: int) -> Any:
        """Brings a payment."""
        notice = {"reference": reference, "orderId": order_id, "amount": amount, "currency": "EUR"}
        return self.api.pay(self.services, notice | {"outcome": "succeeded"})  # type: ignore[arg-type]

    def status(self, order_id: str) -> str:
        """Where an order stands."""
        return str(self.api("GET", f"/orders/{order_id}").json["status"])

    def figures(self, event_id: int) -> dict[str, int]:
        """The conservation's figures that are not 0."""
        found = self.api("GET", f"/ops/events/{event_id}/conservation").json
        names = ("sold", "reserved", "pending", "available", "gap")
        return {name: found[name] for name in names if found[name]}

    def audit(self, event_id: int) -> Audit:
        """Audits the stores as `python -m infra audit` does."""
        with (
            psycopg.connect(self._dsn, autocommit=True) as ledger,
            closing(valkey.Valkey.from_url(self._valkey_url)) as gate,
        ):
            epoch = read_epoch(gate, event_id)
            books = read_ledger(ledger, event_id)
            held = read_gate(gate, event_id, epoch)
        nothing = QueueHeld()
        return judge(
            Evidence(event_id=event_id, ledger=books, gate=held, orders=nothing, dead_letters=nothing)
        )

    def falsify(self, statement: str, *arguments: object) -> None:
        """Changes the ledger behind the service's back."""
        with psycopg.connect(self._dsn, autocommit=True) as ledger:
            ledger.execute(statement.encode(), arguments)

    def falsify_gate(self, change: Callable[[Any], object]) -> None:
        """Changes the gate behind the service's back."""
        with closing(valkey.Valkey.from_url(self._valkey_url)) as gate:
            change(gate)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
def house(database: str, valkey_url: str) -> Iterator[House]:
    client = connect(valkey_url, timeout_ms=5_000)
    client.flushall()
    with ledger_at(database, connections=THREADS + 2) as ledger:
        services = Services(Settings(log_level="error", claim_overdue_ms=0, apply_attempts=50))
        services.__dict__.update(gate=Gate(client), ledger=ledger, queue=MemoryQueue())
        yield House(services, database, valkey_url)
    client.close()


def broken(audit: Audit) -> list[str]:
    return [f"{check.promise}: {check.detail}" for check in audit.checks if not check.passed]


def succeeds(ask: Callable[[], Any]) -> bool:
    return bool(ask().status == 200)


def test_held_paid_expired_and_cancelled(house: House) -> None:
    event_id = house.event()
    ids = [house.order(event_id, user=user).json["id"] for user in ("ann", "bob", "eve")]
    assert house.figures(event_id) == {"pending": 6, "available": 54}
    house.work()
    assert {house.status(order_id) for order_id in ids} == {"reserved"}
    assert house.figures(event_id) == {"reserved": 6, "available": 54}
    ann, bob, eve = ids
    assert house.pay(ann, "r-1", 5000).json["state"] == "applied"
    assert house.pay(bob, "r-2", 4999).json["state"] == "refused"
    house.ahead_seconds = HOLD_SECONDS
    assert expire(house.services) == {"expired": 2, "events": 1}
    assert [house.status(order_id) for order_id in ids] == ["confirmed", "expired", "expired"]
    assert house.figures(event_id) == {"sold": 2, "available": 58}
    assert house.api("DELETE", f"/orders/{ann}").json["status"] == "cancelled"
    assert house.api("DELETE", f"/orders/{eve}").problem == (409, "order-not-cancellable")
    assert house.figures(event_id) == {"available": 60}
    due = house.api("GET", "/ops/payments?state=refund-due").json["items"]
    assert [payment["reference"] for payment in due] == ["r-1"]
    assert broken(house.audit(event_id)) == []


@pytest.mark.parametrize(
    ("policy", "state", "ends"),
    [
        ("accept-if-available", "applied", "confirmed"),
        ("refund", "refund-due", "expired"),
        ("park", "parked", "expired"),
    ],
)
def test_late_money_goes_by_the_events_choice(house: House, policy: str, state: str, ends: str) -> None:
    event_id = house.event(latePayment=policy)
    order_id = house.order(event_id).json["id"]
    house.work()
    house.ahead_seconds = HOLD_SECONDS
    expire(house.services)
    assert house.figures(event_id) == {"available": 60}
    assert house.pay(order_id, "r-1", 5000).json["state"] == state
    assert house.status(order_id) == ends
    assert house.figures(event_id) == (
        {"sold": 2, "available": 58} if ends == "confirmed" else {"available": 60}
    )
    assert broken(house.audit(event_id)) == []


def test_a_cancel_that_overtakes_its_order_is_remembered(house: House) -> None:
    event_id = house.event()
    order_id = house.order(event_id, Idempotency_Key="k").json["id"]
    cancelled = house.api("DELETE", f"/orders/{order_id}").json
    house.work(copies=2)
    assert house.api("GET", f"/orders/{order_id}").json == cancelled
    again = house.order(event_id, Idempotency_Key="k")
    assert (again.json["id"], again.headers["idempotent-replayed"]) == (order_id, "true")
    assert house.figures(event_id) == {"available": 60}
    assert broken(house.audit(event_id)) == []


def test_a_replay_finds_its_order_after_the_gate_was_wiped(house: House) -> None:
    event_id = house.event()
    first = house.order(event_id, Idempotency_Key="k")
    house.work()
    house.falsify_gate(lambda gate: gate.flushall())
    again = house.order(event_id, Idempotency_Key="k")
    assert again.headers.pop("idempotent-replayed") == "true"
    assert (again.status, again.json, again.headers) == (202, first.json, first.headers)
    assert house.order(event_id, quantity=1, Idempotency_Key="k").problem == (422, "idempotency-key-reused")
    assert house.figures(event_id) == {"reserved": 2, "available": 58}


def test_an_order_that_everybody_cancels_at_once_gives_back_once(house: House) -> None:
    event_id = house.event()
    for decided in (False, True):
        order_id = house.order(event_id).json["id"]
        if decided:
            house.work()
        with ThreadPoolExecutor(THREADS) as pool:
            worker = pool.submit(house.work, 2)
            answers = list(pool.map(lambda _: house.api("DELETE", f"/orders/{order_id}"), range(THREADS)))  # noqa: B023
            worker.result()
        assert {(answer.status, answer.json["status"]) for answer in answers} == {(200, "cancelled")}
        assert house.figures(event_id) == {"available": 60}
        assert broken(house.audit(event_id)) == []


def test_payments_at_once_confirm_once_and_the_rest_is_due_back(house: House) -> None:
    event_id = house.event()
    order_id = house.order(event_id).json["id"]
    house.work()
    with ThreadPoolExecutor(THREADS) as pool:
        references = [f"r-{number // 2}" for number in range(2 * THREADS)]
        answers = list(pool.map(lambda reference: house.pay(order_id, reference, 5000), references))
    states = {answer.json["reference"]: answer.json["state"] for answer in answers}
    assert sorted(states.values()) == ["applied"] + ["refund-due"] * (THREADS - 1)
    assert all(answer.json["state"] == states[answer.json["reference"]] for answer in answers)
    assert house.figures(event_id) == {"sold": 2, "available": 58}
    assert broken(house.audit(event_id)) == []


def test_a_payment_and_the_end_of_the_hold_at_once_end_in_one_of_two_ways(house: House) -> None:
    event_id = house.event()
    ids = [house.order(event_id, user=f"u{number}").json["id"] for number in range(THREADS)]
    house.work()
    with ThreadPoolExecutor(THREADS + 1) as pool:
        paying = [pool.submit(house.pay, order_id, f"r-{order_id}", 5000) for order_id in ids[::2]]
        house.ahead_seconds = HOLD_SECONDS
        ending = pool.submit(expire, house.services)
        paying += [pool.submit(house.pay, order_id, f"r-{order_id}", 5000) for order_id in ids[1::2]]
        ending.result()
    expire(house.services)
    for taken in (each.result().json for each in paying):
        ends = {"applied": "confirmed", "refund-due": "expired"}[taken["state"]]
        assert house.status(taken["orderId"]) == ends
    assert broken(house.audit(event_id)) == []


def test_an_expiry_that_never_reaches_the_gate_is_noticed(house: House) -> None:
    class Forgetful(Gate):
        """The negative control: says that it was realigned, and was not."""

        def realign(self, *_: object) -> bool:
            return True

    real: Any = house.services.gate
    house.services.__dict__["gate"] = Forgetful(real._client)
    event_id = house.event()
    house.order(event_id)
    house.work()
    house.ahead_seconds = HOLD_SECONDS
    assert expire(house.services)["expired"] == 1
    assert any("pending + available" in line for line in broken(house.audit(event_id)))
    house.services.__dict__["gate"] = real
    reconcile(house.services)
    assert broken(house.audit(event_id)) == []


@pytest.mark.parametrize("policy", ["accept-if-available", "refund", "park"])
def test_a_storm_of_buys_payments_cancels_and_expiries_ends_exact(house: House, policy: str) -> None:
    event_id = house.event(latePayment=policy, maxPerBuyer=4)
    accepted: list[str] = []
    calm = threading.Event()

    def buyer(number: int) -> None:
        """Buys, and then pays, pays twice, pays too late, cancels, or forgets about it."""
        chance = random.Random(f"{policy} {number}")
        answer = house.order(event_id, chance.randint(1, 3), f"u{number % 90}", Idempotency_Key=f"k{number}")
        assert answer.status in {202, 409}, answer.text
        if answer.status == 409:
            return
        accepted.append(answer.json["id"])
        for _ in range(chance.randint(0, 3)):
            if chance.random() < 0.4:
                deleted = house.api("DELETE", f"/orders/{answer.json['id']}")
                assert deleted.status in {200, 409}, deleted.text
            else:
                amount = answer.json["totalPrice"] + (chance.random() < 0.2)
                bring = partial(house.pay, answer.json["id"], uuid4().hex, amount)
                until(partial(succeeds, bring), "the payment is taken")

    def worker() -> None:
        while not calm.is_set():
            house.work(copies=2)

    def operator() -> None:
        while not calm.is_set():
            house.ahead_seconds += 0.2
            expire(house.services)
            reconcile(house.services)
            figures = house.api("GET", f"/ops/events/{event_id}/conservation")
            assert figures.status in {200, 503}, figures.text

    with ThreadPoolExecutor(THREADS + 3) as pool:
        background = [pool.submit(worker), pool.submit(worker), pool.submit(operator)]
        try:
            list(pool.map(buyer, range(BUYERS)))
        finally:
            calm.set()
        for each in background:
            each.result()
    house.work()
    house.ahead_seconds += HOLD_SECONDS
    expire(house.services)
    ends = {house.status(order_id) for order_id in accepted}
    assert {"confirmed", "expired", "cancelled"} <= ends <= {"confirmed", "rejected", "expired", "cancelled"}
    assert broken(house.audit(event_id)) == []
    figures = house.figures(event_id)
    assert figures.get("sold", 0) + figures.get("available", 0) == TICKETS
    assert figures.keys() <= {"sold", "available"}


@pytest.mark.parametrize(
    ("statement", "promise"),
    [
        ("UPDATE ticket_types SET sold = sold - 1", "orders add up"),
        (
            "UPDATE orders SET status = 'reserved', expires_at = decided_at - interval '2 hours'",
            "is held after",
        ),
        ("UPDATE tallies SET quantity = 0", "buyer's tally"),
        ("UPDATE events SET max_per_buyer = 1", "than the event allows"),
        ("UPDATE payments SET amount = 1", "price of one confirmed order"),
        ("UPDATE payments SET state = 'unmatched'", "unmatched whose order is known"),
        ("DELETE FROM payments", "without its payment"),
        ("UPDATE orders SET status = 'cancelled'", "due back"),
        ("DELETE FROM orders", "orders add up"),
    ],
)
def test_books_that_were_falsified_are_noticed(house: House, statement: str, promise: str) -> None:
    event_id = house.event()
    order_id = house.order(event_id).json["id"]
    house.work()
    house.pay(order_id, "r-1", 5000)
    assert broken(house.audit(event_id)) == []
    house.falsify(statement)
    assert any(promise in line for line in broken(house.audit(event_id)))


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        (lambda gate, at, _: gate.hincrby(keys.stock(at), "1", 1), "pending + available"),
        (lambda gate, at, order_id: gate.hdel(keys.claims(at), order_id), "pending + available"),
        (lambda gate, at, order_id: gate.zrem(keys.waiting(at), order_id), "whole and waits"),
        (lambda gate, at, order_id: gate.hset(keys.claims(at), order_id, b"{"), "whole and waits"),
        (lambda gate, at, _: gate.zadd(keys.waiting(at), {"stray": 1}), "whole and waits"),
        (lambda gate, at, order_id: gate.zadd(keys.waiting(at), {order_id: 1}), "lost its message"),
    ],
)
def test_a_gate_that_was_falsified_is_noticed(
    house: House, change: Callable[[Any, int, str], object], promise: str
) -> None:
    event_id = house.event()
    order_id = house.order(event_id).json["id"]
    assert broken(house.audit(event_id)) == []
    house.falsify_gate(lambda gate: change(gate, event_id, order_id))
    assert any(promise in line for line in broken(house.audit(event_id)))


def test_a_claim_that_outlives_its_answer_is_noticed(house: House) -> None:
    event_id = house.event()
    house.order(event_id)
    kept: list[Any] = []
    house.falsify_gate(lambda gate: kept.extend(gate.hgetall(keys.claims(event_id)).items()))
    house.work()
    house.falsify_gate(lambda gate: gate.hset(keys.claims(event_id), *kept[0]))
    assert any("that has its answer" in line for line in broken(house.audit(event_id)))
