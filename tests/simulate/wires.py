"""Between the service and its stores: every call is an effect, and an effect may meet with bad luck.

Somebody who has crashed has no further effect, whatever `finally` wants, and neither has somebody who
takes longer than a function may. It knows the stores' interfaces by the name of a call only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.rules import Decision, Snapshot
from tests.simulate.clock import VirtualClock
from tests.simulate.schedule import Fault, FaultKind, Step

FUNCTION_TIMEOUT_MS = 15_000
"""After that Lambda ends a function; settings.py."""


class Crash(BaseException):
    """The process is gone. No `except Exception` of the service may catch it."""


_NONE: dict[int, Fault] = {}


_READS = frozenset(
    {"event", "events", "order", "orders", "order_by_key", "payments", "survey", "snapshot", "ping"}
    | {
        "look_up",
        "held",
        "pending",
        "availability",
        "begin_load",
        "end_load",
        "loaded_events",
        "overdue",
        "oldest_ms",
    }
    | {"send"}
)
"""Calls after which no promise has to be checked again."""


class Frame:
    """One actor at work: what will befall it, and how far it is."""

    __slots__ = ("deadline_ms", "effects", "faults", "gone")

    def __init__(self, faults: Sequence[Fault], now_ms: int) -> None:
        """`faults` befall its effects; it began at `now_ms`."""
        self.faults = {fault.at: fault for fault in faults} if faults else _NONE
        self.effects = 0
        self.gone = False
        self.deadline_ms = now_ms + FUNCTION_TIMEOUT_MS


class Wires:
    """All calls of all actors pass here, one at a time."""

    def __init__(self, clock: VirtualClock, perform: Callable[[Step], None]) -> None:
        """`perform` lets somebody else take a step in the middle of another."""
        self.frame = Frame((), clock.now_ms)
        self.down: set[str] = set()
        self.changes = 0
        """Calls so far that may have changed what the promises are about."""
        self.note: Callable[[str], None] | None = None
        self._clock = clock
        self._perform = perform

    def effect(self, part: str, name: str, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Makes the call, and whatever befalls it."""
        frame = self.frame
        if frame.gone or self._clock.now_ms > frame.deadline_ms:
            self._gone(frame)
        fault = frame.faults.get(frame.effects)
        frame.effects += 1
        if fault is not None:
            return self._befallen(frame, fault, part, name, lambda: self._call(part, call, args, named))
        if part in self.down:
            self._fail(part, ambiguous=False)
        return call(*args, **named)

    def _call(self, part: str, call: Callable[..., Any], args: Any, named: Any) -> Any:
        if part in self.down:
            self._fail(part, ambiguous=False)
        return call(*args, **named)

    def _befallen(self, frame: Frame, fault: Fault, part: str, name: str, call: Callable[[], Any]) -> Any:
        if self.note is not None:
            self.note(f"at {part}.{name}: {fault.kind}")
        if fault.kind is FaultKind.MEANWHILE and fault.meanwhile is not None:
            self._perform(fault.meanwhile)
            if self._clock.now_ms > frame.deadline_ms:
                self._gone(frame)
            return call()
        if fault.kind is FaultKind.CRASH_BEFORE:
            self._gone(frame)
        if fault.kind in (FaultKind.REFUSED, FaultKind.LOST):
            self._fail(part, ambiguous=fault.kind is FaultKind.LOST)
        result = call()
        if fault.kind is FaultKind.CRASH_AFTER:
            self._gone(frame)
        if fault.kind is FaultKind.UNANSWERED:
            self._fail(part, ambiguous=True)
        return result

    def _gone(self, frame: Frame) -> None:
        frame.gone = True
        raise Crash

    def _fail(self, part: str, *, ambiguous: bool) -> None:
        raise Unavailable(part, "bad luck", ambiguous=ambiguous)


class Wired:
    """Stands for a store: each of its methods, as an effect."""

    def __init__(self, part: str, store: Any, wires: Wires) -> None:
        """`part` is gate, queue or ledger."""
        self._part = part
        self._store = store
        self._wires = wires

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Made once for each method."""
        part, method, wires = self._part, getattr(self._store, name), self._wires

        def read(*args: Any, **named: Any) -> Any:
            return wires.effect(part, name, method, *args, **named)

        def change(*args: Any, **named: Any) -> Any:
            wires.changes += 1
            return wires.effect(part, name, method, *args, **named)

        call = self.__dict__[name] = read if name in _READS else change
        return call


class WiredReturns(Wired):
    """The queue's other end, which says how much it could not do instead of failing."""

    def delay(self, waits: Sequence[tuple[str, int]]) -> int:
        """Asks for messages to come later, which is an effect; returns for how many that failed."""
        try:
            failed: int = self._wires.effect("queue", "delay", self._store.delay, waits)
        except Unavailable:
            return len(waits)
        return failed


class WiredLedger(Wired):
    """The ledger, whose attempt is several effects: to open it, to read, to write, to commit."""

    def attempt(self) -> WiredAttempt:
        """Opens one attempt, which is an effect."""
        return WiredAttempt(self._wires, self._wires.effect("ledger", "begin", self._store.attempt))


class WiredAttempt:
    """One attempt to apply a batch."""

    def __init__(self, wires: Wires, attempt: Any) -> None:
        """`attempt` is the twin's, not entered yet."""
        self._wires, self._effect = wires, wires.effect
        self._attempt = attempt

    def __enter__(self) -> WiredAttempt:
        self._inner = self._attempt.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if error is not None:
            return bool(self._attempt.__exit__(kind, error, trace))
        self._wires.changes += 1
        self._effect("ledger", "commit", self._attempt.__exit__, None, None, None)
        return None

    def snapshot(self, batch: Any, *, hold: bool = False) -> Snapshot:
        """Reads, which is an effect."""
        read: Snapshot = self._effect("ledger", "snapshot", self._inner.snapshot, batch, hold=hold)
        return read

    def record(self, decision: Decision) -> None:
        """Writes, which is an effect."""
        self._effect("ledger", "record", self._inner.record, decision)
