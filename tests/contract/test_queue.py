"""What every queue must do: the twin in memory, the stack's own SQS, and LocalStack where it is up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.sigv4 import Credentials
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from chalicelib.queue.sender import MAX_BATCH_BYTES, Sender
from infra.local.layout import free_port
from tests.fakes.queue import MemoryQueue
from tests.support.sqs import LOCALSTACK, fresh_queue, skip_without_localstack, sqs_server
from tests.support.waiting import until

REAL = [
    pytest.param("embedded", marks=pytest.mark.slow),
    pytest.param("localstack", marks=[pytest.mark.slow, pytest.mark.localstack]),
]


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    with sqs_server() as endpoint:
        yield endpoint


def address(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "embedded":
        return str(request.getfixturevalue("embedded"))
    skip_without_localstack()
    return LOCALSTACK


@pytest.fixture(params=["memory", *REAL])
def queue(request: pytest.FixtureRequest) -> Iterator[QueueClient]:
    client = MemoryQueue() if request.param == "memory" else fresh_queue(address(request.param, request))
    yield client
    client.close()


@pytest.fixture(params=REAL)
def real_endpoint(request: pytest.FixtureRequest) -> str:
    return address(request.param, request)


def received(queue: QueueClient, count: int) -> list[dict[str, Any]]:
    """All messages, once there are `count` of them."""
    found: list[dict[str, Any]] = []
    ask = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["MessageGroupId"]}

    def take() -> bool:
        found.extend(queue.call("ReceiveMessage", ask).get("Messages", ()))
        return len(found) >= count

    until(take, f"{count} messages came")
    assert not queue.call("ReceiveMessage", ask).get("Messages")
    return found


def test_a_message_arrives_word_for_word_with_its_id_and_its_group(queue: QueueClient) -> None:
    body = '{"schema":1,"userId":"Zoë \\u0001 😀 \\"q\\""}\n\t'
    message_id = Sender(queue).send(body, "2147483647")
    (message,) = received(queue, 1)
    assert (message["MessageId"], message["Body"]) == (message_id, body)
    assert message["Attributes"]["MessageGroupId"] == "2147483647"


def test_a_crowd_of_senders_gets_an_id_each(queue: QueueClient) -> None:
    sender = Sender(queue, lanes=1)
    bodies = [f"order {at}" for at in range(200)]
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda body: sender.send(body, "1"), bodies))
    assert {message["Body"]: message["MessageId"] for message in received(queue, 200)} == dict(
        zip(bodies, ids, strict=True)
    )


def test_a_bad_message_among_good_ones_fails_alone(queue: QueueClient) -> None:
    sender = Sender(queue, lanes=1)
    bodies = [f"order {at}" if at % 8 else "\x01" for at in range(80)]
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(sender.send, body, "1") for body in bodies]
    failed = [body for body, answer in zip(bodies, answers, strict=True) if answer.exception()]
    assert failed == ["\x01"] * 10
    assert sorted(message["Body"] for message in received(queue, 70)) == sorted(set(bodies) - {"\x01"})


@pytest.mark.parametrize("body", ["", "\x01", "x" * (MAX_BATCH_BYTES + 1)])
def test_what_sqs_will_never_take_is_refused(queue: QueueClient, body: str) -> None:
    with pytest.raises(AwsRefused):
        Sender(queue).send(body, "1")


def test_the_longest_message_is_taken(queue: QueueClient) -> None:
    Sender(queue).send("x" * MAX_BATCH_BYTES, "1")
    assert len(received(queue, 1)[0]["Body"]) == MAX_BATCH_BYTES


def test_a_ping_finds_the_queue(queue: QueueClient) -> None:
    Sender(queue).ping()


def test_a_queue_that_is_not_there_is_refused_by_name(real_endpoint: str) -> None:
    url = f"{real_endpoint}/000000000000/no-such-queue"
    queue = QueueClient(url, "us-east-1", lambda: Credentials("test", "test"), 10_000)
    for ask in (Sender(queue).ping, lambda: Sender(queue).send("order", "1")):
        with pytest.raises(AwsRefused) as caught:
            ask()
        assert "QueueDoesNotExist" in caught.value.code
    queue.close()


def test_a_session_token_travels_along(real_endpoint: str) -> None:
    queue = fresh_queue(real_endpoint, Credentials("test", "test", "t/+=" * 90))
    Sender(queue).send("order", "1")
    assert len(received(queue, 1)) == 1
    queue.close()


def test_an_empty_long_poll_answers_when_its_wait_is_over(real_endpoint: str) -> None:
    queue = fresh_queue(real_endpoint)
    assert not queue.call("ReceiveMessage", {"WaitTimeSeconds": 1}, timeout_ms=20_000).get("Messages")
    queue.close()


def test_nobody_there_is_unavailable_without_doubt() -> None:
    url = f"http://127.0.0.1:{free_port()}/000000000000/orders"
    queue = QueueClient(url, "us-east-1", lambda: Credentials("test", "test"), 2_000)
    with pytest.raises(Unavailable) as caught:
        Sender(queue).send("order", "1")
    assert not caught.value.ambiguous
