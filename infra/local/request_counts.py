"""AWS/ApiGateway, and AWS/Lambda of the function behind it: what AWS counts of requests."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.aws_metrics import Tally, flush_every_second, write

API_UNITS = {"Count": "Count", "4XXError": "Count", "5XXError": "Count", "Latency": "Milliseconds"}
FUNCTION_UNITS = {
    "Invocations": "Count",
    "Errors": "Count",
    "Throttles": "Count",
    "Duration": "Milliseconds",
}

Seen = Callable[[int, float, float | None], None]
"""Told of each request: its status, how many seconds it took, and how many of them the function, if asked."""


def unseen(_status: int, _seconds: float, _function_seconds: float | None) -> None:
    """Counts nothing."""


def function_tally(name: str, write: Callable[[bytes], None] = write) -> Tally:
    """What AWS counts of a function's calls: one sample each, in the order of FUNCTION_UNITS."""
    return Tally("AWS/Lambda", {"FunctionName": name}, FUNCTION_UNITS, write)


class RequestCounts:
    """The requests of one process."""

    def __init__(self, stage: str, write: Callable[[bytes], None] = write) -> None:
        """Counts; nothing is said before `start` or `flush`."""
        self._api = Tally("AWS/ApiGateway", {"ApiName": f"onsale-{stage}"}, API_UNITS, write)
        self._function = function_tally(f"onsale-{stage}", write)

    def start(self) -> None:
        """Has it said every second from now on."""
        flush_every_second(self._api, self._function)

    def flush(self, second: int) -> None:
        """Says what came since the last time, as of this second."""
        self._api.flush(second)
        self._function.flush(second)

    def seen(self, status: int, seconds: float, function_seconds: float | None) -> None:
        """Counts one request. A refusal at the door (404, 405, 413) calls no function."""
        self._api.add(1, 400 <= status < 500, status >= 500, seconds * 1_000)
        if function_seconds is not None:
            self._function.add(1, 0, 0, function_seconds * 1_000)  # a bug is an answer here: 500
