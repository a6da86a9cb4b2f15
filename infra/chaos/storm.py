"""Lives a schedule of faults beside a rush, then looks after the tickets until every message is gone.

Each fault has a thread that waits for its second, so that one which is slow to come back holds no other
up. It must not know how a fault is done, and it judges nothing: it writes down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Protocol

import msgspec

from infra.chaos.schedule import Kind, Strike
from infra.chaos.seen import FaultSeen, Look, fault_line
from infra.chaos.strike import Missed, Struck, wait
from infra.rush.service import ServiceFault

LOOK_SECONDS = 0.25
QUIET_SECONDS = 120.0
"""For the last message to be done with: what was dropped comes again when its visibility timeout is over."""


class Surroundings(Protocol):
    """What a storm touches; every method may be called from several threads."""

    def strike(self, kind: Kind) -> Struck:
        """Does a fault now. Raises Missed."""

    def gap(self) -> int:
        """What the service says is unaccounted for. Raises ServiceFault."""

    def is_quiet(self) -> bool:
        """Whether no message waits and none is with a worker."""


class Storm:
    """A context manager: entered as the crowd begins, left when its orders are decided and all is quiet.

    `faults` and `looks` are whole once it is left without an error.
    """

    def __init__(self, schedule: Sequence[Strike], around: Surroundings, note: Callable[[str], None]) -> None:
        """`note` hears a line for each fault; it is called from several threads."""
        self.faults: list[FaultSeen] = []
        self._schedule = schedule
        self._around = around
        self._note = note
        self._began = 0.0
        self._seen: list[tuple[float, float, int | None]] = []
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(len(schedule) + 1, thread_name_prefix="storm")
        self._striking: list[Future[FaultSeen]] = []

    def __enter__(self) -> Storm:
        self._began = time.monotonic()
        self._striking = [self._pool.submit(self._live, strike) for strike in self._schedule]
        self._watching = self._pool.submit(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._over.set()  # nothing more is to be learnt
        self.faults = [fault.result() for fault in self._striking]
        if error is None:
            self._wait_until_quiet()
            self._over.set()
        self._watching.result()
        self._pool.shutdown()

    @property
    def looks(self) -> list[Look]:
        """The looks that began after the last fault had struck, in their order."""
        last = max(fault.at_seconds for fault in self.faults) + self._began
        return [Look(round(ended - last, 2), gap) for began, ended, gap in self._seen if began >= last]

    def _live(self, strike: Strike) -> FaultSeen:
        seen = FaultSeen(strike.at_seconds, strike.kind.value, "nobody")
        if self._over.wait(max(self._began + strike.at_seconds - time.monotonic(), 0)):
            return msgspec.structs.replace(seen, missed="the rush broke off before it")
        try:
            victim, is_back = self._around.strike(strike.kind)
            seen = FaultSeen(round(time.monotonic() - self._began, 2), strike.kind.value, victim)
            self._note(fault_line(seen))
            if is_back is not None:
                wait(is_back, f"{victim} is not back")
                back = time.monotonic() - self._began - seen.at_seconds
                seen = msgspec.structs.replace(seen, back_after_seconds=round(back, 2))
        except Missed as missed:
            return msgspec.structs.replace(seen, missed=str(missed))
        return seen

    def _watch(self) -> None:
        while True:
            last = self._over.is_set()
            began = time.monotonic()
            gap = self._gap()
            self._seen.append((began, time.monotonic(), gap))
            if last:
                return
            self._over.wait(LOOK_SECONDS)

    def _gap(self) -> int | None:
        try:
            return self._around.gap()
        except ServiceFault:
            return None

    def _wait_until_quiet(self) -> None:
        """Not for ever: what stays on a queue is for the audits to find."""
        with suppress(Missed):
            wait(self._around.is_quiet, "messages are left", QUIET_SECONDS)
