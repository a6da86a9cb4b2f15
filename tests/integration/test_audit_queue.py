"""The audit's walk over a real queue: it sees every message, and leaves every message where it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from chalicelib.queue.client import QueueClient
from infra.audit.read_queue import read_queue
from tests.support.batches import an_order_of, message_of
from tests.support.sqs import fresh_queue, sqs_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with sqs_server() as address:
        yield address


@pytest.fixture
def queue(endpoint: str) -> Iterator[QueueClient]:
    with closing(fresh_queue(endpoint)) as client:
        yield client


def send(queue: QueueClient, body: str) -> None:
    queue.call("SendMessage", {"MessageBody": body})


def test_every_message_is_seen_and_given_back(queue: QueueClient) -> None:
    orders = [an_order_of(1, (11, 1)) for _ in range(25)]
    for order in (*orders, an_order_of(2, (21, 1))):
        send(queue, message_of(order))
    send(queue, "{")
    for _ in range(2):
        seen = read_queue(queue, 1)
        assert sorted(seen.order_ids) == sorted(order.order_id for order in orders)
        assert (seen.unreadable, seen.in_flight, seen.complete) == (1, 0, True)


def test_what_a_worker_holds_is_counted_and_left_alone(queue: QueueClient) -> None:
    send(queue, message_of(an_order_of(1, (11, 1))))
    queue.call("ReceiveMessage", {"MaxNumberOfMessages": 1, "VisibilityTimeout": 30})
    seen = read_queue(queue, 1)
    assert (seen.order_ids, seen.in_flight) == ((), 1)


def test_an_empty_queue_is_walked_at_once(queue: QueueClient) -> None:
    assert read_queue(queue, 1).order_ids == ()
