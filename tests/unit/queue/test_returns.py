"""Handing messages back is ten at a time and within a time limit, and never an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from chalicelib.queue.returns import DELAY_LIMIT_SECONDS, Returns

WAITS = [(f"receipt {number}", number) for number in range(25)]


class Queue:
    """Answers visibility changes, each call taking `call_seconds`; the call numbered `fails_at` fails."""

    queue_url = "http://sqs/1/orders"
    timeout_ms = 2_000

    def __init__(self, call_seconds: float = 0.0, fails_at: int = -1, error: Exception | None = None) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.timeouts: list[int | None] = []
        self.now = 0.0
        self._call_seconds, self._fails_at, self._error = call_seconds, fails_at, error

    def call(self, action: str, payload: Mapping[str, Any], timeout_ms: int | None = None) -> dict[str, Any]:
        """As SQS; receipt 19 is not known any more."""
        assert action == "ChangeMessageVisibilityBatch"
        if len(self.calls) == self._fails_at and self._error is not None:
            raise self._error
        self.calls.append(payload["Entries"])
        self.timeouts.append(timeout_ms)
        self.now += self._call_seconds
        gone = [entry for entry in payload["Entries"] if entry["ReceiptHandle"] == "receipt 19"]
        done = [{"Id": entry["Id"]} for entry in payload["Entries"] if entry not in gone]
        return {"Successful": done, "Failed": [{"Id": entry["Id"]} for entry in gone]}


def returns_to(queue: Queue) -> Returns:
    return Returns(cast(QueueClient, queue), lambda: queue.now)


def test_ten_go_in_a_call_and_each_keeps_its_own_time() -> None:
    queue = Queue()
    assert returns_to(queue).delay(WAITS) == 1, "one receipt was not known"
    assert [len(entries) for entries in queue.calls] == [10, 10, 5]
    told = [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for call in queue.calls for entry in call]
    assert told == WAITS
    assert all(len({entry["Id"] for entry in entries}) == len(entries) for entries in queue.calls)


def test_nothing_to_hand_back_asks_nobody() -> None:
    queue = Queue()
    assert returns_to(queue).delay([]) == 0
    assert queue.calls == []


@pytest.mark.parametrize("error", [Unavailable("queue", "down"), AwsRefused("AccessDenied", "no right")])
def test_a_queue_that_does_not_take_it_is_left_alone(error: Exception) -> None:
    assert returns_to(Queue(fails_at=1, error=error)).delay(WAITS) == 15


def test_a_slow_queue_cannot_use_up_the_functions_time() -> None:
    queue = Queue(call_seconds=1.0)
    many = [(f"receipt {number}", 2) for number in range(20, 1_020)]
    assert returns_to(queue).delay(many) == 970
    assert queue.now == DELAY_LIMIT_SECONDS
    assert queue.timeouts == [2_000, 2_000, 1_000]
