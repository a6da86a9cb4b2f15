"""Time that passes only when a schedule says so. It knows no schedule.

Most of the service is handed its clock. What reads the computer's own (the gate's twin, as Valkey does),
or sleeps by itself, is given the virtual one for the time of a simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from chalicelib import filling, log, metrics, realign
from tests.fakes import gate
from tests.support.events import NOON_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _silent(*_: object) -> None:
    """Writes no line: a simulation breaks stores by design, and each would be one."""


class VirtualClock:
    """Stands still; `now_ms` is milliseconds since the Unix epoch."""

    def __init__(self) -> None:
        """Starts at noon."""
        self.now_ms = NOON_MS

    def set_back(self) -> None:
        """It is noon again."""
        self.now_ms = NOON_MS

    def now(self) -> datetime:
        """The service's clock."""
        return _EPOCH + timedelta(milliseconds=self.now_ms)

    def monotonic(self) -> float:
        """Seconds from somewhere."""
        return self.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Lets time pass, 1 ms at least."""
        self.now_ms += max(1, round(seconds * 1000))


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """Lets everything in this process that a simulation runs go by `clock`, and keeps the log silent."""
    places: list[tuple[object, str, object]] = [
        (gate, "_now_ms", lambda: clock.now_ms),
        (filling, "time", clock),
        (realign.lasting_picture, "__kwdefaults__", {"sleep": clock.sleep}),
        (realign, "SECOND_LOOKS", 2),  # nobody works beside a look that sleeps: more of them see the same
        (log, "write", _silent),
        (metrics, "write", _silent),
    ]
    before = [getattr(owner, name) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, value)
        yield
    finally:
        for (owner, name, _), value in zip(places, before, strict=True):
            setattr(owner, name, value)
