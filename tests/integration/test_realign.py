"""Realignment under fire, on a real ledger and a real gate: exact in the end, and never too much on the way.

The gate lets in only whom the ledger has tickets for, so a single order that the ledger refuses for want of
tickets shows that the gate had too many at some moment.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.admission import place
from chalicelib.errors import OnsaleError, Rejected, Unavailable
from chalicelib.fulfilment import fulfil
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.gate.upkeep import GateSurvey
from chalicelib.model import Event, OrderQuery, OrderStatus
from chalicelib.order_ids import new_order_id
from chalicelib.realign import Conservation, conservation, lasting_picture, realign
from chalicelib.reconcile import reconcile
from chalicelib.services import Services, utc_now
from tests.support.batches import a_draft, an_order, batch_of, failures, ledger_at, services_with
from tests.support.events import an_order_for
from tests.support.valkey import valkey_server

CAPACITY, HOLD_SECONDS = 40, 60
pytestmark = pytest.mark.slow


class Deliveries:
    """A queue between threads that delivers what a worker could not finish again."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[str] = SimpleQueue()

    def send(self, body: str, group: str = "") -> str:
        """Keeps the message; `group` is of no consequence here."""
        self._waiting.put(body)
        return group

    def take(self, most: int) -> list[str]:
        """Takes at most so many messages off the queue; waits 20 ms for the first."""
        taken: list[str] = []
        with suppress(Empty):
            while len(taken) < most:
                taken.append(self._waiting.get(timeout=0 if taken else 0.02))
        return taken


class ForgetfulGate(Gate):
    """Does not answer every fifth settlement: the batch is decided, and comes again."""

    def settle(self, event_id: int, kept: Any, returned: Any) -> int:
        """Settles, or fails before anything is done."""
        if random.random() < 0.2:
            raise Unavailable("gate", "not now")
        return super().settle(event_id, kept, returned)


class BoastfulGate(Gate):
    """A control: says that it had a claim of every order that was settled."""

    def settle(self, event_id: int, kept: Any, returned: Any) -> int:
        """Settles what there is, and counts what there should have been."""
        super().settle(event_id, kept, returned)
        return len(kept) + len(returned)


class ClaimlessGate(ForgetfulGate):
    """The first negative control: a realignment from it leaves the claims out."""

    def survey(self, event_id: int) -> GateSurvey | None:
        """Says that there are no claims."""
        found = super().survey(event_id)
        return None if found is None else GateSurvey(found.epoch, found.stock, {})


class EpochlessGate(ForgetfulGate):
    """The second: whatever happens between survey and realignment, the difference is added."""

    def survey(self, event_id: int) -> GateSurvey | None:
        """Always says the same epoch."""
        found = super().survey(event_id)
        return None if found is None else GateSurvey(0, found.stock, found.claims)

    def realign(
        self, event_id: int, _epoch: int, drift: Mapping[int, int], decided: Collection[str] = ()
    ) -> bool:
        """Takes any epoch for the right one."""
        found = super().survey(event_id)
        assert found is not None
        return super().realign(event_id, found.epoch, drift, decided)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with valkey_server() as url:
        connected = connect(url, timeout_ms=5_000)
        yield connected
        connected.close()


@contextmanager
def service(dsn: str, client: Any, gate: type[Gate] = Gate) -> Iterator[Services]:
    """A service on an empty gate and an empty ledger, with a queue to take from."""
    client.flushall()
    with ledger_at(dsn, connections=8) as ledger:
        services = services_with(ledger, gate(client), clock=utc_now, log_level="error")
        services.__dict__["queue"] = Deliveries()
        yield services


def queue_of(services: Services) -> Deliveries:
    queue: Any = services.queue
    assert isinstance(queue, Deliveries)
    return queue


def work(services: Services, most: int = 20) -> bool:
    """Fulfils one batch, as the queue function does; returns whether there was one."""
    bodies = queue_of(services).take(most)
    failed = failures(fulfil(services, batch_of(*bodies))) if bodies else []
    for message_id in failed:
        queue_of(services).send(bodies[int(message_id[1:])])
    return bool(bodies)


def buy(services: Services, event: Event, user: str) -> None:
    """Orders one to three tickets of one type or of both."""
    kinds = random.choice([event.ticket_types, event.ticket_types[:1], event.ticket_types[1:]])
    wanted = an_order_for(*((kind.id, random.randint(1, 3)) for kind in kinds), event_id=event.id, user=user)
    with suppress(Rejected):
        place(services, replace(wanted, order_id=new_order_id(event.id, time.time_ns() // 1_000_000)))


def cancel(services: Services, order_id: str, event_id: int) -> None:
    """Cancels an order as the door does: in the ledger first, then its claim, else by realigning."""
    claim = services.gate.look_up(order_id).claim
    with suppress(Rejected):
        services.ledger.cancel(order_id, claim, services.clock())
        if not services.gate.settle(event_id, [], [order_id]):
            realign(services, event_id)


def cancel_some(services: Services, event: Event) -> None:
    """Cancels one order that the gate still holds, and one that is decided."""
    for claim in services.gate.pending(event.id, None, 1):
        cancel(services, claim.order_id, event.id)
    for order in services.ledger.orders(OrderQuery(event_id=event.id, limit=5)):
        if order.status in {OrderStatus.RESERVED, OrderStatus.CONFIRMED}:
            cancel(services, order.id, event.id)
            return


def expire_some(services: Services) -> None:
    """Ends a few holds before their time."""
    later = services.clock() + timedelta(seconds=HOLD_SECONDS + 1)
    for event_id in services.ledger.expire_due(later, 3):
        realign(services, event_id)


def refused_by_the_ledger(services: Services, event: Event) -> int:
    query = OrderQuery(event_id=event.id, status=OrderStatus.REJECTED, limit=10_000)
    return len(services.ledger.orders(query))


def under_fire(services: Services, seconds: float) -> tuple[Event, list[Conservation]]:
    """Buys, fulfils, cancels, expires and realigns at once, then lets everything come to rest.

    Stops early when the ledger had to refuse an order. Returns the event, and what the onlooker saw.
    """
    event = services.ledger.create_event(a_draft(CAPACITY, CAPACITY, hold_seconds=HOLD_SECONDS))
    deadline = time.monotonic() + seconds
    stop = threading.Event()
    seen: list[Conservation] = []

    def again(step: Callable[[], object]) -> None:
        while not stop.is_set() and time.monotonic() < deadline:
            with suppress(Unavailable):
                step()

    def look() -> None:
        seen.append(conservation(services, event.id))
        if refused_by_the_ledger(services, event):
            stop.set()

    steps: list[Callable[[], object]] = [lambda: buy(services, event, str(random.random()))] * 3
    steps += [lambda: work(services)] * 2
    steps += [lambda: cancel_some(services, event), lambda: expire_some(services), look]
    steps.append(lambda: realign(services, event.id))
    with ThreadPoolExecutor(len(steps)) as crowd:
        list(crowd.map(again, steps))
    while work(services):
        pass
    realign(services, event.id)
    return event, seen


def in_stock(services: Services, event_id: int) -> list[int]:
    found = services.gate.survey(event_id)
    assert found is not None
    return [available for _, available in sorted(found.stock.items())]


def unsold(services: Services, event_id: int) -> list[int]:
    return [kind.unsold for kind in services.ledger.event(event_id).ticket_types]


def drift(services: Services, event: Event) -> dict[int, int]:
    """What the gate's stock lacks, and goes on lacking, by ticket type id."""
    picture = lasting_picture(services, event.id)
    assert picture is not None
    return picture.drift()


@pytest.mark.parametrize("gate", [Gate, ForgetfulGate])
def test_realignment_under_fire_never_gives_too_much_and_ends_exact(
    database: str, client: Any, gate: type[Gate]
) -> None:
    with service(database, client, gate) as services:
        event, seen = under_fire(services, seconds=4)
        assert refused_by_the_ledger(services, event) == 0
        assert in_stock(services, event.id) == unsold(services, event.id)
        assert realign(services, event.id) == {}
        assert services.gate.pending(event.id, None, 10) == []
        assert len(seen) > 20
        assert [found.total for found in seen if found.total.gap] == []
        assert max(found.total.reserved for found in seen) > CAPACITY


@pytest.mark.parametrize("gate", [ClaimlessGate, EpochlessGate])
def test_a_careless_realignment_is_caught(database: str, client: Any, gate: type[Gate]) -> None:
    with service(database, client, gate) as services:
        event, _ = under_fire(services, seconds=20)
        assert refused_by_the_ledger(services, event) > 0


def test_what_the_ledger_gives_back_is_on_sale_once_however_often_it_is_realigned(
    database: str, client: Any
) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        order = place(services, an_order_for((None, 4), event_id=event.id)).order
        work(services)
        assert in_stock(services, event.id) == [6]
        services.ledger.cancel(order.order_id, None, services.clock())
        assert realign(services, event.id) == {event.ticket_types[0].id: 4}
        assert realign(services, event.id) == {}
        assert in_stock(services, event.id) == [10]


def test_a_claim_whose_order_was_cancelled_before_it_was_settled_gives_its_tickets_back_once(
    database: str, client: Any
) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        order = place(services, an_order_for((None, 4), event_id=event.id)).order
        (body,) = queue_of(services).take(1)
        services.ledger.cancel(order.order_id, order, services.clock())
        assert realign(services, event.id) == {event.ticket_types[0].id: 4}
        fulfil(services, batch_of(body))
        services.gate.settle(event.id, [], [order.order_id])
        assert in_stock(services, event.id) == [10]
        assert realign(services, event.id) == {}


def test_tickets_of_a_forgotten_claim_are_off_the_gates_stock_as_soon_as_they_are_sold(
    database: str, client: Any
) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        for user in ("ann", "bob"):
            place(services, an_order_for((None, 2), event_id=event.id, user=user))
        client.flushall()
        place(services, an_order_for((None, 1), event_id=event.id))
        assert in_stock(services, event.id) == [9], "it does not know that four are on their way"
        bodies = queue_of(services).take(2)
        assert failures(fulfil(services, batch_of(*bodies))) == []
        assert in_stock(services, event.id) == [5]
        assert drift(services, event) == {}


def test_a_message_that_comes_again_makes_nobody_realign(database: str, client: Any) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        place(services, an_order_for((None, 2), event_id=event.id))
        (body,) = queue_of(services).take(1)
        epochs = []
        for _ in range(3):
            fulfil(services, batch_of(body))
            survey = services.gate.survey(event.id)
            assert survey is not None
            epochs.append(survey.epoch)
        assert epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2], "one settlement each and nothing else"


def test_orders_that_the_gate_has_never_seen_are_taken_off_its_stock(database: str, client: Any) -> None:
    with service(database, client, BoastfulGate) as services:
        event = services.ledger.create_event(a_draft(10))
        place(services, an_order_for((None, 1), event_id=event.id))
        fulfil(services, batch_of(*(an_order(event, 2) for _ in range(3))))
        assert drift(services, event) == {event.ticket_types[0].id: -6}
        assert reconcile(services) == {"requeued": 0, "realigned": 1}
        assert reconcile(services) == {"requeued": 0, "realigned": 0}
        assert in_stock(services, event.id) == [3]


def test_conservation_names_every_place_that_a_ticket_can_be(database: str, client: Any) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10, 5))
        one, two = event.ticket_types
        place(services, an_order_for((one.id, 3), event_id=event.id))
        work(services)
        place(services, an_order_for((one.id, 2), (two.id, 1), event_id=event.id))
        found = conservation(services, event.id)
        shown = {
            type_id: (tickets.sold, tickets.reserved, tickets.pending, tickets.available, tickets.gap)
            for type_id, tickets in found.ticket_types.items()
        }
        assert shown == {one.id: (3, 0, 2, 5, 0), two.id: (0, 0, 1, 4, 0)}
        assert (found.total.capacity, found.total.pending, found.total.available) == (15, 3, 9)


def test_conservation_shows_a_gap_that_lasts(database: str, client: Any) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        order = place(services, an_order_for((None, 4), event_id=event.id)).order
        work(services)
        services.ledger.cancel(order.order_id, None, services.clock())
        assert conservation(services, event.id).total.gap == 4
        realign(services, event.id)
        assert conservation(services, event.id).total.gap == 0


def test_conservation_of_a_cold_gate_fills_it_and_of_no_event_is_refused(database: str, client: Any) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10))
        assert conservation(services, event.id).total.available == 10
        with pytest.raises(OnsaleError, match="no event"):
            conservation(services, event.id + 1)


def test_a_cancelled_order_gives_the_buyers_allowance_back(database: str, client: Any) -> None:
    with service(database, client) as services:
        event = services.ledger.create_event(a_draft(10, max_per_buyer=2))
        orders = {
            user: place(services, an_order_for((None, 2), event_id=event.id, user=user)).order
            for user in ("ann", "bob")
        }
        work(services)
        services.ledger.cancel(orders["ann"].order_id, None, services.clock())
        realign(services, event.id)
        again = place(services, an_order_for((None, 2), event_id=event.id, user="ann")).order
        over = place(services, an_order_for((None, 1), event_id=event.id, user="bob")).order
        work(services)
        decided = [services.ledger.order(order.order_id) for order in (again, over)]
        assert [order and (order.status, order.reason) for order in decided] == [
            ("confirmed", None),
            ("rejected", "buyer-limit-exceeded"),
        ]
