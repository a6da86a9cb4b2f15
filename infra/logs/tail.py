"""Which events of a log are new, poll after poll: none twice, none left out. Pure.

A line reaches CloudWatch Logs some seconds after it was written, and one written earlier may come later. So
each poll asks again for the last LATE_MS, and knows by their ids those that it has had. It must not know any
log.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

LATE_MS = 60_000
"""How much later than its time an event may become readable, and still be shown."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line as CloudWatch Logs keeps it: `id` is its own for it, `at_ms` is Unix time."""

    id: str
    function: str
    at_ms: int
    text: str


class Tail:
    """Remembers how far it has read. Not for sharing between threads."""

    def __init__(self, since_ms: int) -> None:
        """`since_ms`: Unix time of the earliest event that is wanted, in milliseconds."""
        self._since_ms = since_ms
        self._had: dict[tuple[str, str], int] = {}

    @property
    def since_ms(self) -> int:
        """From where the next poll has to ask."""
        return self._since_ms

    def fresh(self, asked_at_ms: int, events: Iterable[Event]) -> list[Event]:
        """Those of `events` that are news, oldest first; they answer a poll that began at `asked_at_ms`.

        A poll that failed is not told here, so that the next one asks for its time as well.
        """
        news = {(event.function, event.id): event for event in events if event.at_ms >= self._since_ms}
        news = {key: event for key, event in news.items() if key not in self._had}
        self._had |= {key: event.at_ms for key, event in news.items()}
        self._since_ms = max(self._since_ms, asked_at_ms - LATE_MS)
        self._had = {key: at_ms for key, at_ms in self._had.items() if at_ms >= self._since_ms}
        return sorted(news.values(), key=lambda event: event.at_ms)
