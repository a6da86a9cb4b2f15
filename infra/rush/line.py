"""One keep-alive connection of the crowd: a request goes out, an answer comes in, its owner goes on.

An asyncio Protocol without a task or a future per request, because those would cost more than the
request. It must not know orders: what an answer means is its owner's affair.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Protocol, cast

from infra.rush import http

CONNECT_SECONDS = 5.0
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 1.0


class Owner(Protocol):
    """Whoever asks over a line. All calls come from the event loop."""

    def answered(self, line: Line, answer: http.Answer, elapsed_ns: int) -> None:
        """An answer came, `elapsed_ns` after its request. The owner sends the next one or hangs up."""

    def gone(self, line: Line, *, cut: bool) -> None:
        """The connection is no more. `cut`: a request was under way, and nobody knows what became of it."""


class Line(asyncio.Protocol):
    """A connection with at most one request under way."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._partial = b""
        self._busy = False
        self._sent_ns = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport; nothing is asked before the owner does."""
        self._transport = cast(asyncio.Transport, transport)

    @property
    def open(self) -> bool:
        """Whether a request may be sent."""
        return not self._transport.is_closing()

    def send(self, request: bytes) -> None:
        """Sends one whole request; the answer to the one before must have come."""
        self._busy = True
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(request)

    def hang_up(self) -> None:
        """Closes the connection; the owner hears `gone` with `cut` as it stands."""
        self._transport.abort()

    def hang_up_if_overdue(self, limit_seconds: float) -> None:
        """Gives a request up that has waited longer than `limit_seconds` for its answer."""
        if self._busy and time.perf_counter_ns() - self._sent_ns > limit_seconds * 1e9:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hands a whole answer to the owner; keeps the pieces of one that is not whole yet."""
        now_ns = time.perf_counter_ns()
        if self._partial:
            data = self._partial + data
        try:
            answer = http.split(data)
        except http.Unreadable:
            self._transport.abort()
            return
        if answer is None:
            self._partial = data
            return
        self._partial = b""
        self._busy = False
        if http.closes(answer.head):
            self._transport.close()
        self._owner.answered(self, answer, now_ns - self._sent_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the owner, whatever the cause was: to a buyer all causes look alike."""
        del exc
        cut, self._busy = self._busy, False
        self._owner.gone(self, cut=cut)


async def dial(to: http.Address, owner: Owner, patience_seconds: float, chance: random.Random) -> Line | None:
    """Opens a connection, trying again with growing waits; None when `patience_seconds` have passed.

    `chance` spreads the waits, so that a crowd that was cut off does not come back in one wave.
    """
    until = time.monotonic() + patience_seconds
    wait_seconds = FIRST_WAIT_SECONDS
    while True:
        try:
            return await _connect(to, owner)
        except OSError:
            if time.monotonic() + wait_seconds > until:
                return None
            await asyncio.sleep(wait_seconds * chance.uniform(0.5, 1.0))
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)


async def _connect(to: http.Address, owner: Owner) -> Line:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_SECONDS):
        _, line = await loop.create_connection(lambda: Line(owner), to.host, to.port, ssl=to.tls or None)
    return line
