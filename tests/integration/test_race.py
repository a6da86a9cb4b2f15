"""Many workers on one hot row of a real PostgreSQL, and proof that these tests would notice a fault.

Every control runs the same race with a ledger that is unsafe on purpose, and must be caught.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from queue import Empty, SimpleQueue
from random import Random
from threading import Barrier
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from chalicelib.errors import Conflict
from chalicelib.fulfilment import fulfil
from chalicelib.ledger.queries import QUERIES, Queries
from chalicelib.model import Event, Order, OrderPlaced, OrderQuery, OrderStatus
from chalicelib.queue.messages import decode
from chalicelib.rules import decide
from chalicelib.services import Services
from tests.support.batches import (
    NotingGate,
    a_draft,
    an_order,
    batch_of,
    edited,
    failures,
    ledger_at,
    services_with,
)
from tests.support.events import NOON

pytestmark = pytest.mark.slow

WORKERS = 8
DELIVERIES = 500
"""Of one batch: what comes back more often has met a fault and no bad luck."""

READ_CHECK_WRITE = replace(
    QUERIES,
    sell=b"""
        UPDATE ticket_types AS types SET sold = types.sold + asked.quantity
        FROM unnest(%(type_ids)s::int[], %(quantities)s::int[]) AS asked (id, quantity)
        WHERE types.id = asked.id AND %(versions)s::int[] IS NOT NULL
    """,
)
"""The seed's way: read what is left, decide, write, and never ask whether it has moved."""

FORGETFUL = replace(
    QUERIES,
    read_order_facts=edited(QUERIES.read_order_facts, b"id = asked.order_id", b"false"),
    record_orders=edited(QUERIES.record_orders, b"ON CONFLICT DO NOTHING", b""),
)
"""Knows no order again."""

TRUSTING = replace(
    QUERIES,
    record_tallies=edited(QUERIES.record_tallies, b"WHERE tally.version = excluded.version - 1", b""),
)
"""Writes the tallies that it worked out, whoever has changed them meanwhile."""


def run(*statements: str, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def race(
    dsn: str,
    queries: Queries,
    work: Iterable[dict[str, Any]],
    apply: Callable[[Services, dict[str, Any]], dict[str, Any]] = fulfil,
) -> NotingGate:
    """Lets workers take SQS events from one queue until it is empty; what fails is delivered again.

    Raises AssertionError when a batch has failed too often for bad luck.
    """
    gate = NotingGate()
    waiting: SimpleQueue[tuple[dict[str, Any], int]] = SimpleQueue()
    for event in work:
        waiting.put((event, DELIVERIES))

    def worker(_: int) -> None:
        with ledger_at(dsn, queries=queries) as ledger:
            services = services_with(ledger, gate)
            while True:
                try:
                    event, deliveries = waiting.get_nowait()
                except Empty:
                    return
                if failures(apply(services, event)):
                    assert deliveries > 1, "a batch is never applied"
                    waiting.put((event, deliveries - 1))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(worker, range(WORKERS)))
    return gate


def audit(dsn: str, event: Event, placed: Sequence[OrderPlaced], gate: NotingGate) -> None:
    """Raises AssertionError unless every promise holds for these orders of this event."""
    with ledger_at(dsn) as ledger:
        orders = ledger.orders(OrderQuery(event_id=event.id, limit=1_000_000))
        after = ledger.event(event.id)
    confirmed = [order for order in orders if order.status is OrderStatus.CONFIRMED]
    sold = tickets_by(confirmed, lambda _order, item: item.ticket_type_id)
    wanted = tickets_by(placed, lambda _order, item: item.ticket_type_id)
    for kind in after.ticket_types:
        assert kind.sold <= kind.capacity, "oversold"
        assert kind.sold == sold[kind.id], "the counter and the orders disagree"
        assert kind.sold == min(kind.capacity, wanted[kind.id]) or event.max_per_buyer, "left over"
    assert sorted(order.id for order in orders) == sorted({order.order_id for order in placed}), (
        "lost or double"
    )
    if event.max_per_buyer is not None:
        bought = tickets_by(confirmed, lambda order, _item: order.user_id)
        assert max(bought.values()) <= event.max_per_buyer, "a buyer over the cap"
    assert set(gate.kept) == {order.id for order in confirmed}, "claims kept and orders confirmed disagree"
    assert set(gate.returned) == {order.id for order in orders} - set(gate.kept), "claims returned disagree"


def tickets_by(orders: Iterable[Order | OrderPlaced], key: Callable[[Any, Any], Any]) -> Counter[Any]:
    counted: Counter[Any] = Counter()
    for order in orders:
        for item in order.items:
            counted[key(order, item)] += item.quantity
    return counted


def a_sell_out(
    dsn: str,
    queries: Queries = QUERIES,
    *,
    deliveries: int = 1,
    capacity: int = 700,
    buyers: int = 1_000,
    apply: Callable[[Services, dict[str, Any]], dict[str, Any]] = fulfil,
) -> None:
    """The race for one ticket type, each message delivered so many times, and the audit."""
    with ledger_at(dsn) as ledger:
        event = ledger.create_event(a_draft(capacity))
    placed = [an_order(event) for _ in range(buyers)]
    records = placed * deliveries
    Random(1).shuffle(records)
    gate = race(dsn, queries, [batch_of(*records[at : at + 10]) for at in range(0, len(records), 10)], apply)
    audit(dsn, event, placed, gate)


def rashly(services: Services, event: dict[str, Any]) -> dict[str, Any]:
    """Fulfilment without a safety net: one attempt, and what the ledger raises is raised."""
    placed = [decode(record["body"]) for record in event["Records"]]
    try:
        with services.ledger.attempt() as ledger:
            ledger.record(decide(placed, ledger.snapshot(placed), services.clock()))
    except Conflict:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    return {"batchItemFailures": []}


def a_buyers_limit(dsn: str, queries: Queries = QUERIES) -> None:
    """Buyers ask for one ticket of each of two types, in two batches at the same moment; one is the limit."""
    with ledger_at(dsn) as ledger:
        event = ledger.create_event(a_draft(1_000, 1_000, max_per_buyer=1))
    gate = NotingGate()
    placed: list[OrderPlaced] = []
    for turn in range(20):
        pair = [[an_order(event, user=f"buyer {turn}.{n}", kind=kind) for n in range(10)] for kind in (0, 1)]
        placed += chain(*pair)
        at_once(dsn, queries, [batch_of(*orders) for orders in pair], gate)
    audit(dsn, event, placed, gate)


def at_once(dsn: str, queries: Queries, events: Sequence[dict[str, Any]], gate: NotingGate) -> None:
    """Applies each event by a worker of its own; the first decisions are all made before any is recorded."""
    decided = Barrier(len(events))

    def worker(event: dict[str, Any]) -> None:
        with ledger_at(dsn, queries=queries) as ledger:
            services = services_with(ledger, gate, clock=meeting(decided))
            assert failures(fulfil(services, event)) == []

    with ThreadPoolExecutor(len(events)) as pool:
        list(pool.map(worker, events))


def meeting(barrier: Barrier) -> Callable[[], datetime]:
    """A clock that waits at the barrier when first asked: between the snapshot and the decision."""
    waits = iter([barrier.wait])

    def clock() -> datetime:
        for wait in waits:
            wait(timeout=10)
        return NOON

    return clock


def test_eight_workers_sell_one_hot_type_out_exactly(database: str) -> None:
    a_sell_out(database)


def test_every_message_delivered_three_times_sells_once(database: str) -> None:
    a_sell_out(database, deliveries=3)


def test_everybody_is_served_when_there_is_enough(database: str) -> None:
    a_sell_out(database, capacity=2_000)


def test_a_buyers_limit_holds_over_ticket_types_decided_at_once(database: str) -> None:
    a_buyers_limit(database)


def test_workers_on_several_types_cause_no_deadlock(database: str) -> None:
    with ledger_at(database) as ledger:
        event = ledger.create_event(a_draft(300, 300, 300))
    random = Random(2)
    placed = [an_order(event, kind=random.randrange(3)) for _ in range(1_200)]
    gate = race(database, QUERIES, [batch_of(*placed[at : at + 20]) for at in range(0, 1_200, 20)])
    audit(database, event, placed, gate)
    with psycopg.connect(database) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        found = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert found.fetchone() == (0,)


def test_a_batch_that_lost_a_race_does_not_lose_again(database: str) -> None:
    with ledger_at(database) as ledger:
        event = ledger.create_event(a_draft(10_000))
    pauses: list[int] = []

    def worker(_: int) -> None:
        with ledger_at(database) as ledger:
            for _ in range(25):
                waits: list[float] = []
                fulfil(services_with(ledger), batch_of(an_order(event)), sleep=waits.append)
                pauses.append(len(waits))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(worker, range(WORKERS)))
    assert len(pauses) == 25 * WORKERS
    assert max(pauses) == 1


def test_control_read_check_write_is_caught(database: str) -> None:
    run("ALTER TABLE ticket_types DROP CONSTRAINT never_oversold", dsn=database)
    with pytest.raises(AssertionError, match="oversold"):
        a_sell_out(database, READ_CHECK_WRITE)


def test_control_the_constraint_stops_read_check_write_as_the_last_line(database: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        a_sell_out(database, READ_CHECK_WRITE, apply=rashly)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT sold <= capacity FROM ticket_types").fetchone() == (True,)


def test_control_a_ledger_that_knows_no_order_again_is_caught(database: str) -> None:
    run("ALTER TABLE orders DROP CONSTRAINT orders_pkey", dsn=database)
    with pytest.raises(AssertionError, match="lost or double"):
        a_sell_out(database, FORGETFUL, deliveries=3)


def test_control_the_unique_order_id_stops_a_forgetful_ledger_as_the_last_line(database: str) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        a_sell_out(database, FORGETFUL, deliveries=3, apply=rashly)


def test_control_tallies_without_compare_and_set_are_caught(database: str) -> None:
    with pytest.raises(AssertionError, match="a buyer over the cap"):
        a_buyers_limit(database, TRUSTING)
