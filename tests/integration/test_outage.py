"""The queue function behind the real event source, between a real SQS and a PostgreSQL that goes away."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from chalicelib.breaker import Breaker
from chalicelib.fulfilment import fulfil
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.migrate import migrate
from chalicelib.model import DeadLetterQuery, OrderPlaced
from chalicelib.queue.client import QueueClient
from chalicelib.queue.returns import Returns
from chalicelib.services import Services
from chalicelib.settings import Settings
from infra.local import postgres, sqs
from infra.local.event_source import EventSource, Mapping
from infra.local.layout import free_port
from tests.integration.test_fulfilment import TRAP
from tests.support.batches import NotingGate, a_draft, an_order, ledger_at, message_of
from tests.support.parts import running
from tests.support.postgres import SETTINGS
from tests.support.sqs import fresh_queue, sqs_server
from tests.support.waiting import until

pytestmark = pytest.mark.slow

WORKERS = 2
VISIBILITY_SECONDS = 2
PROBE_SECONDS = 0.2
"""As short against the visibility timeout as on Lambda: 1 s against 90."""
LAST_STEP_ALWAYS = 1.0
"""Jitter that leaves every wait whole: how often a message comes in a given time is then no chance."""

Handler = Callable[[Services, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's own folder, which other runs close to everybody but its owner."""
    with tempfile.TemporaryDirectory(prefix="onsale-outage-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with sqs_server() as address:
        yield address


class Queues:
    """An order queue and its dead letters, and the workers of a test."""

    def __init__(self, orders: QueueClient, dead: QueueClient) -> None:
        self.orders = orders
        self.dead = dead
        self.most_receives = 0
        self._lock = threading.Lock()

    def send(self, bodies: Iterable[str]) -> None:
        """Puts them on the order queue."""
        listed = list(bodies)
        for start in range(0, len(listed), 10):
            entries = [
                {"Id": str(n), "MessageBody": body} for n, body in enumerate(listed[start : start + 10])
            ]
            self.orders.call("SendMessageBatch", {"Entries": entries})

    def buried(self) -> int:
        """Messages on the dead-letter queue."""
        return sum(sqs.waiting(self.dead.queue_url))

    def letters(self) -> dict[str, str]:
        """The bodies on the dead-letter queue and the reasons that are told with them."""
        wanted = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        return {
            each["Body"]: each["MessageAttributes"]["reason"]["StringValue"]
            for each in self.dead.call("ReceiveMessage", wanted)["Messages"]
        }

    @contextmanager
    def workers(self, dsn: str, handler: Handler, batch_size: int = 100) -> Iterator[None]:
        """Runs event sources, each with services of its own, until the block ends."""
        with ExitStack() as stack:
            for _ in range(WORKERS):
                pool = Connections(dsn, 1, timeout_ms=3_000)
                stack.callback(pool.close)
                services = Services(Settings(order_queue_url=self.orders.queue_url))
                services.__dict__.update(
                    ledger=Ledger(pool),
                    gate=NotingGate(),
                    returns=Returns(self.orders),
                    ledger_breaker=Breaker(PROBE_SECONDS),
                )
                mapping = Mapping(partial(self._noting, handler, services), "fulfil", batch_size, 0.2)
                source = EventSource(mapping, self.orders, services.settings)
                thread = threading.Thread(target=source.run)
                thread.start()
                stack.callback(thread.join)
                stack.callback(source.stop)
            yield

    def _noting(self, handler: Handler, services: Services, event: dict[str, Any], _: Any) -> dict[str, Any]:
        counts = [int(record["attributes"]["ApproximateReceiveCount"]) for record in event["Records"]]
        with self._lock:
            self.most_receives = max(self.most_receives, *counts)
        return handler(services, event)


@contextmanager
def queues(endpoint: str, max_receives: int = sqs.MAX_RECEIVES) -> Iterator[Queues]:
    """Fresh queues."""
    with closing(fresh_queue(endpoint)) as dead:
        found = dead.call("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})
        given = sqs.attributes(found["Attributes"]["QueueArn"], VISIBILITY_SECONDS, max_receives)
        with closing(fresh_queue(endpoint, attributes=given)) as orders:
            yield Queues(orders, dead)


class NeverOpen(Breaker):
    """A breaker that lets everybody try at any time."""

    def failed(self, now: float) -> None:
        """Forgets it."""


class NothingDelayed(Returns):
    """Leaves every message to the queue's own visibility timeout."""

    def delay(self, _: Any) -> int:
        """Does nothing."""
        return 0


def careful(services: Services, event: dict[str, Any]) -> dict[str, Any]:
    """The function as it is, without chance."""
    return fulfil(services, event, jitter=lambda: LAST_STEP_ALWAYS)


def careless(services: Services, event: dict[str, Any]) -> dict[str, Any]:
    """The function without breaker and growing waits."""
    services.__dict__.update(ledger_breaker=NeverOpen(), returns=NothingDelayed(services.returns._client))
    return fulfil(services, event)


class Box:
    """A PostgreSQL that is stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.dsn = postgres.dsn(self.port)

    @contextmanager
    def up(self) -> Iterator[Ledger]:
        """Runs it until the block ends."""
        part = postgres.part(self.folder / "data", self.port, SETTINGS)
        with running(part, self.folder), ledger_at(self.dsn) as ledger:
            migrate(self.dsn)
            yield ledger


def decided(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert row is not None
    return int(row[0])


class Outage(NamedTuple):
    """How many orders of 1,500 were answered in the end, and how many seconds PostgreSQL was away."""

    answered: int
    seconds: float


def through_an_outage(box: Box, queue: Queues, handler: Handler, enough: Callable[[float], bool]) -> Outage:
    """Sends orders before, during and after an outage that lasts until `enough` of its seconds.

    Ends when all are decided or dead letters.
    """
    with ExitStack() as stack:
        with box.up() as ledger:
            event = ledger.create_event(a_draft(10_000))
            bodies = [message_of(an_order(event)) for _ in range(1_500)]
            queue.send(bodies[:500])
            stack.enter_context(queue.workers(box.dsn, handler))
            until(lambda: decided(box.dsn) > 0, "the first are decided")
        began = time.monotonic()
        queue.send(bodies[500:1_000])
        until(lambda: enough(time.monotonic() - began), "the outage has lasted", seconds=60)
        lasted = time.monotonic() - began
        with box.up():
            queue.send(bodies[1_000:])
            until(
                lambda: (
                    decided(box.dsn) + queue.buried() >= 1_500
                    and sqs.waiting(queue.orders.queue_url) == (0, 0)
                ),
                "nothing waits any more",
                seconds=60,
            )
            return Outage(decided(box.dsn), lasted)


def test_an_outage_of_the_ledger_loses_nothing_and_buries_nothing(folder: Path, endpoint: str) -> None:
    with queues(endpoint) as queue:
        outage = through_an_outage(Box(folder), queue, careful, lambda _: queue.most_receives >= 3)
        assert (outage.answered, queue.buried()) == (1_500, 0)
        assert queue.most_receives < 10


def test_the_same_outage_buries_healthy_orders_without_breaker_and_growing_waits(
    folder: Path, endpoint: str
) -> None:
    with queues(endpoint, max_receives=4) as queue:
        bad = through_an_outage(Box(folder / "careless"), queue, careless, lambda _: queue.buried() > 0)
        assert bad.answered < 1_500
    with queues(endpoint, max_receives=4) as queue:
        good = through_an_outage(Box(folder / "careful"), queue, careful, lambda gone: gone > bad.seconds)
        assert (good.answered, queue.buried()) == (1_500, 0)


def test_poison_among_five_hundred_ends_among_the_dead_letters_with_its_reason(
    database: str, endpoint: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TRAP)
    with queues(endpoint) as queue, ledger_at(database) as ledger:
        event = ledger.create_event(a_draft(10_000))
        trapped = message_of(an_order(event, user="trap"))
        healthy: list[OrderPlaced] = [an_order(event) for _ in range(498)]
        queue.send(["{", *map(message_of, healthy[:200]), trapped, *map(message_of, healthy[200:])])
        with queue.workers(database, careful, batch_size=500):
            until(lambda: decided(database) == 498, "the healthy ones are decided")
            assert queue.buried() == 0
            until(lambda: queue.buried() == 2, "the poison is given up", seconds=60)
            until(lambda: sqs.waiting(queue.orders.queue_url) == (0, 0), "nothing else is left")
        letters = queue.letters()
        assert set(letters) == {"{", trapped}
        assert letters["{"].startswith("undecodable: ")
        assert letters[trapped].startswith("RaiseException: no trap")
        assert {
            (body, each.failures) for each, body in ledger.dead_letters_with_bodies(DeadLetterQuery())
        } == {("{", 5), (trapped, 5)}
        assert {each.reason.splitlines()[0] for each in ledger.dead_letters(DeadLetterQuery())} == {
            reason.splitlines()[0] for reason in letters.values()
        }
