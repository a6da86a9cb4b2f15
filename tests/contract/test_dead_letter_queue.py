"""What an operator may rely on at the dead-letter queue: in memory, in the embedded SQS, in LocalStack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.queue.client import QueueClient
from chalicelib.queue.dead_letters import DeadLetterQueue
from chalicelib.queue.returns import Returns
from infra.local import sqs
from tests.fakes.dead_letter_queue import MemoryPair
from tests.support.sqs import LOCALSTACK, fresh_queue, skip_without_localstack, sqs_server

KINDS = [
    "memory",
    pytest.param("embedded", marks=pytest.mark.slow),
    pytest.param("localstack", marks=[pytest.mark.slow, pytest.mark.localstack]),
]


@dataclass
class Pair:
    """Both queues; `sent` is what came on the order queue of the one in memory."""

    orders: QueueClient
    dead: QueueClient | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)

    @property
    def letters(self) -> DeadLetterQueue:
        """What is tested."""
        return DeadLetterQueue(self.orders)

    def bury(self, body: str, message_id: str, group: str) -> None:
        """As the function does."""
        if isinstance(self.orders, MemoryPair):
            self.orders.bury(body, message_id, group)
        else:
            Returns(self.orders).bury(body, {"messageId": message_id, "reason": "a bug"}, group)

    def bury_by_sqs(self, body: str) -> str:
        """As SQS does: under its own id, with nothing said about it."""
        if isinstance(self.orders, MemoryPair):
            return self.orders.bury(body)
        assert self.dead is not None
        return str(self.dead.call("SendMessage", {"MessageBody": body})["MessageId"])

    def arrived(self) -> list[tuple[str, str]]:
        """Bodies and groups on the order queue."""
        if isinstance(self.orders, MemoryPair):
            return sorted(self.sent)
        wish: dict[str, Any] = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "WaitTimeSeconds": 1}
        found = self.orders.call("ReceiveMessage", wish).get("Messages") or []
        return sorted((each["Body"], each["Attributes"].get("MessageGroupId", "")) for each in found)


@pytest.fixture(scope="module", params=KINDS)
def endpoint(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "memory":
        yield None
    elif request.param == "localstack":
        skip_without_localstack()
        yield LOCALSTACK
    else:
        with sqs_server() as address:
            yield address


@pytest.fixture
def pair(endpoint: str | None) -> Iterator[Pair]:
    if endpoint is None:
        sent: list[tuple[str, str]] = []
        yield Pair(MemoryPair(lambda body, group: sent.append((body, group))), None, sent)
        return
    with closing(fresh_queue(endpoint)) as dead:
        name = dead.queue_url.rpartition("/")[2]
        attributes = sqs.attributes(f"arn:aws:sqs:us-east-1:000000000000:{name}", 30)
        with closing(fresh_queue(endpoint, attributes=attributes)) as orders:
            yield Pair(orders, dead)


def test_a_copy_has_the_id_that_its_message_failed_under(pair: Pair) -> None:
    pair.bury("one", "m1", "7")
    own = pair.bury_by_sqs("two")
    found = sorted(pair.letters.take(), key=lambda copy: copy.body)
    assert [(each.message_id, each.body, each.group) for each in found] == [
        ("m1", "one", "7"),
        (own, "two", ""),
    ]


def test_what_is_taken_is_hidden_until_it_is_released(pair: Pair) -> None:
    for number in range(12):
        pair.bury(f"{number}", f"m{number}", "7")
    taken = [*pair.letters.take(), *pair.letters.take()]
    assert len({copy.message_id for copy in taken}) == 12
    assert pair.letters.take() == []
    assert pair.letters.counts() == (0, 12)
    pair.letters.release(taken)
    assert pair.letters.counts() == (12, 0)


def test_what_is_put_back_is_on_the_order_queue_with_its_group_and_nowhere_else(pair: Pair) -> None:
    pair.bury("one", "m1", "7")
    pair.bury_by_sqs("two")
    taken = pair.letters.take()
    assert pair.letters.put_back(taken) == taken
    assert pair.letters.counts() == (0, 0)
    assert pair.arrived() == [("one", "7"), ("two", "")]


def test_what_is_removed_is_gone(pair: Pair) -> None:
    pair.bury("one", "m1", "7")
    pair.letters.remove(pair.letters.take())
    assert pair.letters.counts() == (0, 0)
    assert pair.arrived() == []


def test_large_messages_are_sent_in_several_batches(pair: Pair) -> None:
    for number in range(3):
        pair.bury(str(number) * 400_000, f"m{number}", "7")
    while taken := pair.letters.take():
        pair.letters.put_back(taken)
    assert [body[0] for body, _ in pair.arrived()] == ["0", "1", "2"]


def test_where_sqs_cannot_move_by_itself_it_is_said_and_nothing_raised(pair: Pair) -> None:
    if isinstance(pair.orders, MemoryPair) or LOCALSTACK not in pair.orders.queue_url:
        assert not pair.letters.start_move()
        assert pair.letters.move_task() is None


def test_a_move_that_sqs_makes_is_followed() -> None:
    pair = MemoryPair(lambda *_: None)
    pair.tasks = [{"Status": "COMPLETED", "StartedTimestamp": 1_000}]
    letters = DeadLetterQueue(pair)
    assert letters.start_move()
    pair.tasks[-1] |= {"StartedTimestamp": 2_000, "ApproximateNumberOfMessagesMoved": 3}
    task = letters.move_task()
    assert task is not None
    assert (task.running, task.moved, task.to_move, task.started_ms) == (True, 3, 0, 2_000)
