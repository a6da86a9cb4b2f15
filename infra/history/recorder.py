"""Takes a run down: what goes out and comes in as it happens, the ledger's changes at the end.

While the run lasts it keeps moments and bytes and works nothing out, because its hooks stand in a crowd's
hot path; the file is written when the run is over, and a run that is killed leaves none. A request takes
about a kilobyte of memory. It must not know what a promise is.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from msgspec.structs import replace

from infra.history import calls
from infra.history.ledger_changes import LedgerChanges
from infra.history.lines import (
    SCHEMA,
    SETTLE_MS,
    TOLERANCE_MS,
    Answer,
    Commit,
    End,
    Event,
    Left,
    Line,
    Request,
    Run,
    encode,
)
from infra.history.pgoutput import NotUnderstood
from infra.history.witness import Witness

NOT_ASKED = "no address of it is known"
_REPLAYED = b"\r\nidempotent-replayed: true"


class Recorder:
    """One run. Threads may call its hooks at once; `close` it, whatever happens."""

    def __init__(self, what: str, url: str, dsn: str | None, *, settle_ms: float = SETTLE_MS) -> None:
        """Begins; with `dsn`, the ledger's changes are witnessed from here on, or it is noted why not."""
        # The wall clock, which the ledger shares, as of now: a run's moments never go back.
        self._wall_ns = time.time_ns() - time.monotonic_ns()
        self._run = Run(
            schema=SCHEMA,
            what=what,
            url=url,
            started_at_ms=self._ms(time.monotonic_ns()),
            tolerance_ms=TOLERANCE_MS,
            settle_ms=settle_ms,
        )
        self._numbers = itertools.count(1)
        self._under_way: dict[object, int] = {}
        self._sent: list[tuple[int, int, bytes]] = []
        self._came: list[tuple[int, int, int, bool, bytes]] = []
        self._lines: list[Event | Request | Answer] = []
        self._commits: list[Commit] = []
        self._changes = LedgerChanges()
        self._end: End | None = None
        self._without_ledger: str | None = None
        self._witness = self._call_witness(dsn)

    def event(self, event: Event) -> None:
        """Takes down the terms of an event; its changes are the history's from now on."""
        self._lines.append(event)

    def sent(self, who: object, request: bytes) -> None:
        """`who` (a connection, with one request under way) sends a whole HTTP/1.1 request."""
        self._under_way[who] = number = next(self._numbers)
        self._sent.append((number, time.monotonic_ns(), request))

    def answered(self, who: object, status: int, head: bytes, body: bytes) -> None:
        """`who` has its answer; `head` is in lower case."""
        number, now_ns = self._under_way.pop(who), time.monotonic_ns()
        self._came.append((number, now_ns, status, _REPLAYED in head, body))

    def asked(self, method: str, path: str, body: bytes = b"", key: str | None = None) -> int:
        """Something is asked, by whatever means; returns the number for `told`."""
        number = next(self._numbers)
        self._lines.append(calls.request_line(number, self._now_ms(), method, path, body, key))
        return number

    def told(self, number: int, status: int, body: bytes, *, replayed: bool = False) -> None:
        """The answer to request `number` came."""
        self._lines.append(calls.answer_line(number, self._now_ms(), status, body, replayed=replayed))

    def put(self, event_id: int, user_id: str, order_id: str) -> None:
        """A message for this order was put on the queue past the door."""
        self._lines.append(
            Request(
                number=next(self._numbers),
                at_ms=self._now_ms(),
                method="SEND",
                path="",
                event_id=event_id,
                user_id=user_id,
                order_id=order_id,
            )
        )

    def over(self, left: Iterable[Left] | None, *, awaited: bool = True) -> None:
        """The run is over: what the service says is left, and whether every answer was waited for."""
        self._end = End(at_ms=self._now_ms(), left=None if left is None else tuple(left), awaited=awaited)

    def write(self, file: Path) -> None:
        """Asks the witness and writes the whole history so far. Raises OSError."""
        self._hear_witness()
        end = [] if self._end is None else [replace(self._end, without_ledger=self._without_ledger)]
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            for line in itertools.chain([self._run], self._in_time(), self._commits, end):
                out.write(encode(line) + b"\n")

    def close(self) -> None:
        """Lets the witness go. One that cannot be reached is let go by the next run's."""
        if self._witness is not None:
            witness, self._witness = self._witness, None
            try:
                witness.close()
            except psycopg.Error:
                return

    def _now_ms(self) -> float:
        return self._ms(time.monotonic_ns())

    def _ms(self, monotonic_ns: int) -> float:
        return round((self._wall_ns + monotonic_ns) / 1e6, 3)

    def _call_witness(self, dsn: str | None) -> Witness | None:
        if dsn is None:
            self._without_ledger = NOT_ASKED
            return None
        try:
            return Witness(dsn)
        except psycopg.Error as error:
            self._without_ledger = _reason(error)
            return None

    def _hear_witness(self) -> None:
        if self._witness is None:
            return
        events = {line.id for line in self._lines if isinstance(line, Event)}
        try:
            self._commits += self._changes.commits(self._witness.messages(), events)
        except (psycopg.Error, NotUnderstood) as error:
            self._without_ledger = _reason(error)

    def _in_time(self) -> Iterator[Line]:
        """Events first, then requests and answers by their moments: an answer never before its request."""
        heard: list[Request | Answer] = [line for line in self._lines if not isinstance(line, Event)]
        heard += [calls.request_of_bytes(number, self._ms(ns), raw) for number, ns, raw in self._sent]
        heard += [
            calls.answer_line(number, self._ms(ns), status, body, replayed=replayed)
            for number, ns, status, replayed, body in self._came
        ]
        yield from (line for line in self._lines if isinstance(line, Event))
        yield from sorted(heard, key=lambda line: (line.at_ms, isinstance(line, Answer), line.number))


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
