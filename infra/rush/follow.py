"""Buyers who ask after their order: the wait from 202 to the answer, as one of them sees it.

Each follows the contract and nothing else: GET /orders/{id} when Retry-After says so, on a
connection of their own, until the order is no longer pending. It must not know the ledger.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import msgspec

from infra.rush import http
from infra.rush.line import Line, dial

if TYPE_CHECKING:
    from infra.history.recorder import Recorder

FIRST_RETRY_SECONDS = 1.0
"""The Retry-After of a 202, by the contract; the crowd does not read it from every answer."""
UNANSWERED_RETRY_SECONDS = 0.5


class Sighting(msgspec.Struct, frozen=True):
    """A decided order as its buyer first saw it; `waited_ns` counts from the 202."""

    order_id: str
    status: str
    waited_ns: int


class _Standing(msgspec.Struct):
    status: str


_standing = msgspec.json.Decoder(_Standing)


class Followers:
    """One in `every` accepted orders is followed; `accepted` is for `Crowd(on_accepted=…)`."""

    def __init__(
        self, to: http.Address, *, every: int, seed: int = 1, record: Recorder | None = None
    ) -> None:
        """`every` 0 follows nobody; `record` hears of each question and answer."""
        self.sightings: list[Sighting] = []
        self._to = to
        self._every = every
        self._seen = 0
        self._chance = random.Random(seed)  # noqa: S311  spreads waits, guards nothing
        self._record = record
        self._tasks: set[asyncio.Task[None]] = set()

    def accepted(self, order_id: str) -> None:
        """Takes note of an accepted order, and follows it when its turn has come."""
        self._seen += 1
        if self._every and self._seen % self._every == 1 % self._every:
            task = asyncio.get_running_loop().create_task(self._follow(order_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self, limit_seconds: float) -> list[Sighting]:
        """Waits until all who are followed have their answer, at most `limit_seconds`."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=limit_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return self.sightings

    async def _follow(self, order_id: str) -> None:
        accepted_ns = time.perf_counter_ns()
        buyer = _Buyer(self._to, order_id, self._chance, self._record)
        await asyncio.sleep(FIRST_RETRY_SECONDS)
        try:
            status = await buyer.ask_until_decided()
        finally:
            buyer.leave()
        self.sightings.append(Sighting(order_id, status, time.perf_counter_ns() - accepted_ns))


class _Buyer:
    """Owns one line; an answer or the loss of the line ends one wait."""

    def __init__(
        self, to: http.Address, order_id: str, chance: random.Random, record: Recorder | None
    ) -> None:
        self._to = to
        self._record = record
        self._request = http.get(to, f"/orders/{order_id}")
        self._chance = chance
        self._line: Line | None = None
        self._answer: asyncio.Future[http.Answer | None]

    async def ask_until_decided(self) -> str:
        """The first status that is not pending."""
        while True:
            answer = await self._ask()
            status = "pending" if answer is None else _status_in(answer)
            if status != "pending":
                return status
            await asyncio.sleep(_wait_seconds(answer))

    def answered(self, line: Line, answer: http.Answer, elapsed_ns: int) -> None:  # noqa: ARG002 - Owner's
        """Ends the wait with the answer."""
        if self._record is not None:
            self._record.answered(line, answer.status, answer.head, answer.body)
        self._end_wait(answer)

    def gone(self, line: Line, *, cut: bool) -> None:  # noqa: ARG002 - Owner's
        """Ends the wait without one."""
        self._line = None
        self._end_wait(None)

    def leave(self) -> None:
        """Hangs up."""
        if self._line is not None:
            self._line.hang_up()

    async def _ask(self) -> http.Answer | None:
        self._answer = asyncio.get_running_loop().create_future()
        if self._line is None or not self._line.open:
            self._line = await dial(self._to, self, UNANSWERED_RETRY_SECONDS, self._chance)
        if self._line is None:
            return None
        if self._record is not None:
            self._record.sent(self._line, self._request)
        self._line.send(self._request)
        return await self._answer

    def _end_wait(self, answer: http.Answer | None) -> None:
        if not self._answer.done():
            self._answer.set_result(answer)


def _status_in(answer: http.Answer) -> str:
    """Anything but a readable 200 leaves the buyer where they were: waiting."""
    if answer.status != 200:
        return "pending"
    try:
        return _standing.decode(answer.body).status
    except (msgspec.MsgspecError, UnicodeError):
        return "pending"


def _wait_seconds(answer: http.Answer | None) -> float:
    if answer is None:
        return UNANSWERED_RETRY_SECONDS
    return http.retry_after_seconds(answer.head)
