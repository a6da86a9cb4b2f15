"""Messages that were received and wait for their batch: many threads put, one takes.

Knows counting and waiting; it does not know what a message is.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Holds at most one batch ahead, plus what receivers had already asked for."""

    def __init__(
        self, batch_size: int, window_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` counts seconds; tests pass their own."""
        self._batch_size = batch_size
        self._window_seconds = window_seconds
        self._clock = clock
        self._waiting: deque[tuple[float, T]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def wait_for_room(self) -> bool:
        """Waits until there is less than one batch. False: closed, do not receive any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < self._batch_size)
            return not self._closed

    def put(self, items: Iterable[T]) -> None:
        """Adds items, also when there is no room: whoever has received a message must not drop it."""
        now = self._clock()
        with self._changed:
            self._waiting.extend((now, item) for item in items)
            self._changed.notify_all()

    def take(self) -> list[T]:
        """Waits for a full batch, or for the end of the window that began with the oldest item.

        Once closed it returns what is there, and an empty list when nothing is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._wait_for_the_batch()
            size = min(self._batch_size, len(self._waiting))
            batch = [self._waiting.popleft()[1] for _ in range(size)]
            self._changed.notify_all()
            return batch

    def close(self) -> None:
        """No more is to be received; what is there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_for_the_batch(self) -> None:
        while self._waiting and len(self._waiting) < self._batch_size and not self._closed:
            left = self._waiting[0][0] + self._window_seconds - self._clock()
            if left <= 0:
                return
            self._changed.wait(left)
