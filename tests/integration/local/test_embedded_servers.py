"""The embedded servers keep what they hold, and SQS behaves as SQS."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chalicelib.queue.client import QueueClient
from infra.local import postgres, sqs, valkey
from infra.local.children import Part, end_group, start
from infra.local.layout import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def running(part: Part, logs: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the part until the block ends, then stops it as the stack would."""
    process = start(part, logs / f"{part.name}.log")
    try:
        until(part.ready, f"{part.name} is ready", seconds=60)
        part.prepare()
        yield process
    finally:
        process.send_signal(part.stop_signal)
        process.wait(30)
        end_group(process.pid)


@pytest.fixture
def deep() -> Iterator[Path]:
    """A directory that only its owner may enter, with a path longer than a Unix socket's name may be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("long" * 30)
        path.mkdir()
        yield path


def test_postgres_keeps_its_data_below_a_closed_and_deep_directory(deep: Path) -> None:
    port = free_port()
    with running(postgres.part(deep / "postgres", port), deep), psycopg.connect(postgres.dsn(port)) as db:
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert db.execute("SHOW fsync").fetchone() == ("on",)
    with running(postgres.part(deep / "postgres", port), deep), psycopg.connect(postgres.dsn(port)) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (7,)


def test_valkey_keeps_its_data_and_evicts_as_elasticache_does(tmp_path: Path) -> None:
    port = free_port()
    with running(valkey.part(tmp_path, port), tmp_path):
        assert valkey.ask(port, "SET kept 7") == b"+OK\r\n"
        assert b"volatile-lru" in valkey.ask(port, "CONFIG GET maxmemory-policy")
    with running(valkey.part(tmp_path, port), tmp_path):
        assert valkey.ask(port, "GET kept") == b"$1\r\n7\r\n"


def test_sqs_keeps_messages_also_when_its_port_changes(tmp_path: Path) -> None:
    port, another = free_port(), free_port()
    with (
        running(sqs.part(tmp_path, port), tmp_path),
        closing(sqs.client(sqs.queues(port).dead_letters)) as dead,
    ):
        dead.call("SendMessage", {"MessageBody": "kept"})
    with running(sqs.part(tmp_path, another), tmp_path):
        assert sqs.waiting(sqs.queues(another).dead_letters) == (1, 0)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueClient]:
    """The order queue of an embedded SQS."""
    folder, port = tmp_path_factory.mktemp("sqs"), free_port()
    with running(sqs.part(folder, port), folder), closing(sqs.client(sqs.queues(port).orders)) as client:
        yield client


def receive(queue: QueueClient, visibility_seconds: int = 30) -> list[dict[str, Any]]:
    wanted = {"MaxNumberOfMessages": 10, "VisibilityTimeout": visibility_seconds, "AttributeNames": ["All"]}
    messages: list[dict[str, Any]] = queue.call("ReceiveMessage", wanted).get("Messages", [])
    return messages


def delete(queue: QueueClient, *receipts: str) -> dict[str, Any]:
    entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
    return queue.call("DeleteMessageBatch", {"Entries": entries})


def test_a_received_message_is_hidden_until_it_is_deleted_or_its_time_is_up(orders: QueueClient) -> None:
    orders.call("SendMessage", {"MessageBody": "a"})
    first = receive(orders, visibility_seconds=0)
    second = receive(orders)
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in first + second] == ["1", "2"]
    assert receive(orders) == []
    assert delete(orders, second[0]["ReceiptHandle"])["Failed"] == []


def test_deleting_says_which_receipts_are_unknown(orders: QueueClient) -> None:
    orders.call("SendMessage", {"MessageBody": "b"})
    known = receive(orders)[0]["ReceiptHandle"]
    answer = delete(orders, "no such receipt", known)
    assert [entry["Id"] for entry in answer["Successful"]] == ["1"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("0", "ReceiptHandleIsInvalid")]


def test_a_message_that_is_received_too_often_becomes_a_dead_letter(orders: QueueClient) -> None:
    orders.call("SendMessage", {"MessageBody": "poison"})
    for _ in range(sqs.MAX_RECEIVES):
        assert [message["Body"] for message in receive(orders, visibility_seconds=0)] == ["poison"]
    assert receive(orders) == []
    name = {"QueueName": sqs.DEAD_LETTER_QUEUE}
    with closing(sqs.client(orders.call("GetQueueUrl", name)["QueueUrl"])) as dead:
        assert [message["Body"] for message in receive(dead)] == ["poison"]
