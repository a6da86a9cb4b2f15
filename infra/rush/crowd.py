"""The crowd: takes requests in turn over a fixed number of connections and keeps the tally of the answers.

A closed crowd: a connection asks again when it has its answer, so the rate is the service's own;
unless it is paced, when a connection with its answer waits until the next request is due.
It must not know the service's stores, nor judge an answer: it counts. A request cut off on its
way is counted as unknown and never sent again, because the service may have taken it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from infra.rush import http
from infra.rush.line import Line, dial

if TYPE_CHECKING:
    from infra.history.recorder import Recorder

WATCH_SECONDS = 0.5
PACE_SECONDS = 0.01
"""From one look at what is due to the next: requests of a paced crowd go out in groups of this."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a crowd goes about it: see `RushPlan` for the meaning of each; `per_second` 0 is not paced."""

    concurrency: int
    patience_seconds: float = 20.0
    answer_seconds: float = 10.0
    per_second: float = 0.0
    seed: int = 1


class _Accepted(msgspec.Struct):
    id: str


class _Problem(msgspec.Struct):
    code: str


_accepted = msgspec.json.Decoder(_Accepted)
_problem = msgspec.json.Decoder(_Problem)


@dataclass(slots=True)
class Tally:
    """What the crowd heard. Times ending in `_ns` are nanoseconds, of waiting or on `time.perf_counter_ns`.

    `uncertain` counts those of the refused that a fault refused (5xx): like the unknown ones, they
    may have been taken all the same. `requests` counts the sent ones, `cpu_seconds` is the crowd's own.
    """

    accepted: list[str] = field(default_factory=list)
    accept_ns: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refuse_ns: list[int] = field(default_factory=list)
    uncertain: int = 0
    unknown: int = 0
    requests: int = 0
    started_ns: int = 0
    last_accept_ns: int = 0
    finished_ns: int = 0
    cpu_seconds: float = 0.0

    @property
    def answered(self) -> int:
        """Requests that were answered, whatever the answer."""
        return len(self.accepted) + len(self.refuse_ns)


class Crowd:
    """Sends `requests` over its connections; see `run`."""

    def __init__(
        self,
        to: http.Address,
        requests: Iterable[bytes],
        manner: Manner,
        on_accepted: Callable[[str], None] = lambda _: None,
        record: Recorder | None = None,
    ) -> None:
        """`on_accepted` is called with the id of each accepted order, at once; it must be quick.

        `record` hears of each request and answer.
        """
        self.tally = Tally()
        self._to = to
        self._requests = iter(requests)
        self._next: bytes | None = next(self._requests, None)
        self._manner = manner
        self._chance = random.Random(manner.seed)  # noqa: S311  spreads waits, guards nothing
        self._on_accepted = on_accepted
        self._record = record
        self._lines: set[Line] = set()
        self._resting: deque[Line] = deque()
        self._dialling: set[asyncio.Task[None]] = set()
        self._finished = asyncio.Event()

    async def run(self) -> Tally:
        """Returns when every request was sent and answered, cut off, or could not be sent at all.

        All connections are open before the first request goes out, so that opening them is in no figure.
        """
        dials = (self._dial() for _ in range(self._manner.concurrency))
        lines = [line for line in await asyncio.gather(*dials) if line is not None]
        cpu_seconds = time.process_time()
        self.tally.started_ns = time.perf_counter_ns()
        self._lines.update(lines)
        for line in lines:
            self._ask(line)
        if lines:
            await asyncio.gather(self._watch(), self._pace())
        self.tally.finished_ns = time.perf_counter_ns()
        self.tally.cpu_seconds = time.process_time() - cpu_seconds
        return self.tally

    def stop(self) -> None:
        """Sends nothing more; `run` returns when the requests under way are answered."""
        self._requests = iter(())
        self._next = None

    def answered(self, line: Line, answer: http.Answer, elapsed_ns: int) -> None:
        """Counts the answer and asks the next thing."""
        if self._record is not None:
            self._record.answered(line, answer.status, answer.head, answer.body)
        if answer.status == 202:
            self._count_accepted(answer.body, elapsed_ns)
        else:
            self._count_refused(answer, elapsed_ns)
        if line.open:
            self._ask(line)

    def gone(self, line: Line, *, cut: bool) -> None:
        """Counts a request that was cut off, and opens another connection while there is something to ask."""
        self.tally.unknown += cut
        self._lines.discard(line)
        if self._next is not None:
            task = asyncio.get_running_loop().create_task(self._redial())
            self._dialling.add(task)
            task.add_done_callback(self._dialled)
        self._finish_if_done()

    def _ask(self, line: Line) -> None:
        if self._manner.per_second and self._next is not None:
            self._resting.append(line)
        else:
            self._send(line)

    def _send(self, line: Line) -> None:
        request = self._next
        if request is None:
            line.hang_up()
            return
        self._next = next(self._requests, None)
        self.tally.requests += 1
        if self._record is not None:
            self._record.sent(line, request)
        line.send(request)

    async def _pace(self) -> None:
        """Wakes as many resting lines as requests are due; the last one due sends all home."""
        while self._manner.per_second and not self._finished.is_set():
            since_seconds = (time.perf_counter_ns() - self.tally.started_ns) / 1e9
            while self._resting and (
                self._next is None or self.tally.requests <= since_seconds * self._manner.per_second
            ):
                line = self._resting.popleft()
                if line.open:
                    self._send(line)
            await asyncio.sleep(PACE_SECONDS)

    def _count_accepted(self, body: bytes, elapsed_ns: int) -> None:
        try:
            order_id = _accepted.decode(body).id
        except msgspec.MsgspecError:
            self.tally.unknown += 1
            return
        self.tally.accepted.append(order_id)
        self.tally.accept_ns.append(elapsed_ns)
        self.tally.last_accept_ns = time.perf_counter_ns()
        self._on_accepted(order_id)

    def _count_refused(self, answer: http.Answer, elapsed_ns: int) -> None:
        try:
            code = _problem.decode(answer.body).code
        except (msgspec.MsgspecError, UnicodeError):
            code = f"http-{answer.status}"
        self.tally.refused[code] += 1
        self.tally.refuse_ns.append(elapsed_ns)
        self.tally.uncertain += answer.status >= 500

    async def _dial(self) -> Line | None:
        return await dial(self._to, self, self._manner.patience_seconds, self._chance)

    async def _redial(self) -> None:
        line = await self._dial()
        if line is not None and line.open:
            self._lines.add(line)
            self._ask(line)

    def _dialled(self, task: asyncio.Task[None]) -> None:
        self._dialling.discard(task)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if not self._lines and not self._dialling:
            self._finished.set()

    async def _watch(self) -> None:
        while not self._finished.is_set():
            for line in list(self._lines):
                line.hang_up_if_overdue(self._manner.answer_seconds)
            try:
                await asyncio.wait_for(self._finished.wait(), WATCH_SECONDS)
            except TimeoutError:
                continue
