"""What is deleted, what stays, and how often the handler sees a message."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import pytest

from chalicelib.queue.client import QueueClient
from chalicelib.settings import Settings
from infra.local.event_source import EventSource, Handler, Mapping

SETTINGS = Settings(order_queue_url="http://127.0.0.1:1/000000000000/q")


class Queue:
    """Hands out each message once and remembers what was deleted."""

    def __init__(self, *ids: str) -> None:
        self.waiting = list(ids)
        self.deleted: set[str] = set()
        self.changed = threading.Condition()

    def call(self, action: str, payload: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Answers as SQS would."""
        with self.changed:
            if action == "ReceiveMessage":
                found, self.waiting = self.waiting[:10], self.waiting[10:]
                if not found:
                    self.changed.wait(0.01)
                return {"Messages": [_message(one) for one in found]}
            self.deleted |= {entry["ReceiptHandle"] for entry in payload["Entries"]}
            self.changed.notify_all()
            return {}


def _message(name: str) -> dict[str, Any]:
    return {"MessageId": name, "ReceiptHandle": name, "Body": "{}", "MD5OfBody": ""}


def run(
    queue: Queue,
    handler: Handler,
    until: threading.Event,
    redeliver: int = 1,
    ask: Callable[[EventSource], None] = lambda _: None,
) -> None:
    """Runs the event source, after `ask`, until the test has seen what it wants to see."""
    mapping = Mapping(handler, "fulfil", batch_size=3, window_seconds=0.01)
    source = EventSource(mapping, cast(QueueClient, queue), SETTINGS, redeliver)
    ask(source)

    def stop() -> None:
        until.wait(10)
        source.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    source.run()
    stopper.join()
    assert until.is_set()


def test_what_succeeded_is_deleted_and_what_failed_stays() -> None:
    queue, seen = Queue("a", "b", "c"), threading.Event()

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        seen.set()
        return {
            "batchItemFailures": [
                {"itemIdentifier": r["messageId"]} for r in event["Records"] if r["messageId"] == "b"
            ]
        }

    run(queue, handler, seen)
    assert queue.deleted == {"a", "c"}


@pytest.mark.parametrize("answer", [{"batchItemFailures": [{"itemIdentifier": "no such"}]}, "nonsense"])
def test_a_malformed_answer_deletes_nothing(answer: object, capsys: pytest.CaptureFixture[str]) -> None:
    queue, seen = Queue("a", "b"), threading.Event()

    def handler(*_: Any) -> object:
        seen.set()
        return answer

    run(queue, handler, seen)
    assert queue.deleted == set()
    assert "batch failed" in capsys.readouterr().err


def test_an_exception_deletes_nothing_and_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    queue, seen = Queue("a"), threading.Event()

    def handler(*_: Any) -> None:
        seen.set()
        raise RuntimeError("broken")

    run(queue, handler, seen)
    assert queue.deleted == set()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_was_received_is_finished_before_stopping() -> None:
    ids = [str(number) for number in range(10)]
    queue, seen = Queue(*ids), threading.Event()
    run(queue, lambda *_: seen.set(), seen)
    assert queue.deleted | set(queue.waiting) == set(ids)


def test_redeliver_hands_each_record_over_three_times_in_different_batches() -> None:
    ids = [str(number) for number in range(7)]
    queue, done, calls = Queue(*ids), threading.Event(), Counter[str]()

    def handler(event: dict[str, Any], _: Any) -> None:
        batch = [record["messageId"] for record in event["Records"]]
        assert len(set(batch)) == len(batch)
        calls.update(batch)
        if sum(calls.values()) == 3 * len(ids):
            done.set()

    run(queue, handler, done, redeliver=3)
    assert calls == dict.fromkeys(ids, 3)
    assert queue.deleted == set(ids)


def test_a_batch_that_is_to_be_dropped_is_neither_handled_nor_deleted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = [str(number) for number in range(7)]
    queue, done, handled = Queue(*ids), threading.Event(), list[str]()

    def handler(event: dict[str, Any], _: Any) -> None:
        handled.extend(record["messageId"] for record in event["Records"])
        if ids[-1] in handled:
            done.set()

    run(queue, handler, done, ask=EventSource.drop_next)
    assert handled == ids[3:], "the first batch alone"
    assert queue.deleted == set(ids[3:])
    assert "batch dropped" in capsys.readouterr().err


def test_a_batch_that_is_to_be_doubled_is_handled_twice_and_deleted_once() -> None:
    ids = [str(number) for number in range(7)]
    queue, done, batches = Queue(*ids), threading.Event(), list[list[str]]()

    def handler(event: dict[str, Any], _: Any) -> None:
        batches.append([record["messageId"] for record in event["Records"]])
        if batches[-1][-1] == ids[-1]:
            done.set()

    run(queue, handler, done, ask=EventSource.double_next)
    assert batches == [ids[:3], ids[:3], ids[3:6], ids[6:]]
    assert queue.deleted == set(ids)


def test_nothing_is_received_while_the_mapping_is_off_and_what_is_there_comes_when_it_is_on() -> None:
    queue, seen, asked = Queue("a", "b"), threading.Event(), threading.Event()
    on = threading.Event()

    def enabled() -> bool:
        asked.set()
        return on.is_set()

    mapping = Mapping(lambda *_: seen.set(), "fulfil", batch_size=3, window_seconds=0.01)
    source = EventSource(mapping, cast(QueueClient, queue), SETTINGS, enabled=enabled)
    worker = threading.Thread(target=source.run)
    worker.start()
    assert asked.wait(10)
    assert queue.waiting == ["a", "b"]
    on.set()
    assert seen.wait(10)
    source.stop()
    worker.join()
    assert queue.deleted == {"a", "b"}
