"""Faults 2, 3 and 4: a worker dies on either side of COMMIT, or is so slow that another has its messages."""

from __future__ import annotations

import json

import pytest

from tests.faults.house import House, Worker
from tests.faults.worker import DIED
from tests.support.batches import an_order_of, message_of
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

ORDERS, TOO_MANY, EACH = 50, 10, 2
CAPACITY = ORDERS * EACH


@pytest.fixture
def event_id(house: House) -> int:
    return house.event(CAPACITY)


@pytest.fixture
def orders(house: House, event_id: int) -> list[str]:
    """Orders for every ticket, and some for more: no gate has seen those, and the ledger rejects them."""
    ids = house.accepted(event_id, [f"u{number}" for number in range(ORDERS)], EACH)
    (type_id,) = house.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    late = [an_order_of(event_id, (type_id, EACH), user=f"late {number}") for number in range(TOO_MANY)]
    house.send(message_of(order) for order in late)
    return ids + [order.order_id for order in late]


def assert_sold_once(house: House, event_id: int, orders: list[str]) -> None:
    """Every order has one answer, every ticket has one buyer, and all books agree."""
    house.until_decided(event_id, orders)
    house.until_quiet()
    found = house.statuses(event_id)
    assert sorted(found) == sorted(orders)
    assert sorted(found.values()) == ["confirmed"] * ORDERS + ["rejected"] * TOO_MANY
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(CAPACITY,)]
    assert house.dead_letters() == 0
    house.reconcile()  # who came without a claim has tickets that the gate gave to somebody else
    assert house.broken(event_id) == []


def run_to_its_death(house: House, fault: str, **changes: str) -> None:
    with house.worker(fault, **changes) as doomed:
        until(lambda: doomed.process.poll() is not None, "the worker is dead")
        assert doomed.process.returncode == DIED


def decided(house: House, event_id: int) -> int:
    return len(house.statuses(event_id))


def known_again(worker: Worker) -> int:
    """Orders that the worker met and found decided, by its log."""
    lines = (json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{"))
    return sum(line.get("known", 0) for line in lines)


@pytest.mark.parametrize("point", ["after-commit", "after-settling"])
def test_a_worker_killed_after_commit_sells_nothing_twice(
    house: House, event_id: int, orders: list[str], point: str
) -> None:
    run_to_its_death(house, point)
    written = decided(house, event_id)
    assert written > 0
    claims = len(house.services.gate.pending(event_id, None, 1_000))
    assert claims == ORDERS if point == "after-commit" else claims < ORDERS
    with house.worker() as healthy:
        assert_sold_once(house, event_id, orders)
        assert known_again(healthy) == written


@pytest.mark.parametrize(
    ("fault", "batches"), [("after-reading", 0), ("before-commit", 0), ("before-commit:3", 2)]
)
def test_a_worker_killed_before_commit_leaves_nothing_behind(
    house: House, event_id: int, orders: list[str], fault: str, batches: int
) -> None:
    run_to_its_death(house, fault, BATCH="10")
    assert decided(house, event_id) == 10 * batches
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) <= [
        (10 * batches * EACH,)
    ]
    with house.worker():
        assert_sold_once(house, event_id, orders)


@pytest.mark.parametrize("point", ["after-reading", "before-commit", "after-commit"])
def test_two_workers_that_hold_the_same_messages_sell_them_once(
    house: House, event_id: int, orders: list[str], point: str
) -> None:
    with house.worker(point, "hold") as slow:
        until(slow.has_struck, "the slow worker holds its messages")
        with house.worker():
            house.until_decided(event_id, orders)
            slow.release.touch()
            assert_sold_once(house, event_id, orders)
