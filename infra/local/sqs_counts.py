"""AWS/SQS, as far as only the queue itself can count it: messages sent and deleted.

Runs in the embedded SQS's environment: standard library only, and nothing of the service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.local.aws_metrics import Tally, flush_every_second

Answer = dict[str, Any]
Act = Callable[[Answer, str], Answer]
"""One of the emulator's actions: a call and its URL in, an answer out."""


class SqsCounts:
    """Messages by queue."""

    def __init__(self, queues: list[str]) -> None:
        """`queues` are names; what happens in others is not counted."""
        self._sent = {name: _tally(name, "NumberOfMessagesSent") for name in queues}
        self._deleted = {name: _tally(name, "NumberOfMessagesDeleted") for name in queues}

    def start(self) -> None:
        """Has it said every second from now on."""
        flush_every_second(*self._sent.values(), *self._deleted.values())

    def counting(self, handlers: dict[str, Act]) -> None:
        """Puts the counting around the actions that send and delete."""
        for action, tallies in (("SendMessage", self._sent), ("DeleteMessage", self._deleted)):
            handlers[action] = _around(handlers[action], tallies, _one)
            handlers[f"{action}Batch"] = _around(handlers[f"{action}Batch"], tallies, _successful)


def _tally(queue: str, name: str) -> Tally:
    return Tally("AWS/SQS", {"QueueName": queue}, {name: "Count"})


def _one(_: Answer) -> int:
    return 1


def _successful(answer: Answer) -> int:
    return len(answer.get("Successful", ()))


def _around(act: Act, tallies: dict[str, Tally], count: Callable[[Answer], int]) -> Act:
    def counted(data: Answer, url: str) -> Answer:
        answer = act(data, url)
        tally = tallies.get(data.get("QueueUrl", url).rpartition("/")[2])
        if tally is not None:
            tally.add(count(answer))
        return answer

    return counted
