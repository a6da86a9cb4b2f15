"""AWS/Lambda of the queue's function: its calls, those that failed, how long they took. It knows no batch.

Nothing throttles here: Throttles is 0. A process runs one call at a time and cannot see the others, so that
ConcurrentExecutions is its own 1; in AWS it is a Maximum over all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from infra.local.aws_metrics import Tally, flush_every_second, write
from infra.local.request_counts import FUNCTION_UNITS

Called = Callable[[float, bool], None]
"""Told of each call: how long it took in seconds, and whether it failed."""


def untold(_seconds: float, _failed: bool) -> None:
    """Counts nothing."""


class InvocationCounts:
    """The calls of one process."""

    def __init__(self, function_name: str, write: Callable[[bytes], None] = write) -> None:
        """Counts; nothing is said before `start` or `flush`."""
        units = {**FUNCTION_UNITS, "ConcurrentExecutions": "Count"}
        self._tally = Tally("AWS/Lambda", {"FunctionName": function_name}, units, write)

    def start(self) -> None:
        """Has it said every second from now on."""
        flush_every_second(self._tally)

    def flush(self, second: int) -> None:
        """Says what came since the last time, as of this second."""
        self._tally.flush(second)

    def called(self, seconds: float, failed: bool) -> None:
        """Counts one call."""
        self._tally.add(1, failed, 0, seconds * 1_000, 1)
