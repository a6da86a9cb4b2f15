"""Remembers whether a store is down, so that one caller finds out again and not all of them.

Pure: it is told the time and keeps no clock. It knows no store. One lives as long as its warm container.
"""

from __future__ import annotations

from enum import Enum

PROBE_SECONDS = 1.0
"""From one try to the next while a store is down: what a recovery may go unnoticed, in one container."""
_TICK = 0.001
"""A sleeper may wake a little early by another clock."""


class BreakerState(Enum):
    """Closed lets everybody through, open nobody, half-open has one try under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opened by one failure, closed by one success. Times are seconds of one monotonic clock.

    A try that never reports counts as failed when its interval is over, so that none can block the others.
    Threads that share one without a lock cost at most a try too many.
    """

    def __init__(self, interval: float = PROBE_SECONDS) -> None:
        """`interval` is the least time, in seconds, between two tries while it is open."""
        self._interval = interval
        self._state = BreakerState.CLOSED
        self._next_try = 0.0

    def state(self, now: float) -> BreakerState:
        """What it is at `now`."""
        if self._state is BreakerState.HALF_OPEN and now >= self._next_try:
            return BreakerState.OPEN
        return self._state

    def wait(self, now: float) -> float:
        """Seconds until a try is allowed; 0 when one is allowed now."""
        return 0.0 if self._state is BreakerState.CLOSED else max(0.0, self._next_try - now)

    def admits(self, now: float) -> bool:
        """Whether the caller may try now. While it is open that is one caller in each interval."""
        if self._state is BreakerState.CLOSED:
            return True
        if now < self._next_try - _TICK:
            return False
        self._state, self._next_try = BreakerState.HALF_OPEN, now + self._interval
        return True

    def failed(self, now: float) -> None:
        """The store did not answer."""
        self._state, self._next_try = BreakerState.OPEN, now + self._interval

    def succeeded(self) -> None:
        """The store has answered."""
        self._state = BreakerState.CLOSED
