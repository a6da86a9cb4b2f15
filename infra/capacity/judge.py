"""The judge of a simulated sale: counts who holds a ticket, and whether what buyers heard was true.

It must not trust, nor look at, what shards say of themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from infra.capacity.shards import Answer

HEARD = (Answer.GRANTED, Answer.SOLD_OUT, Answer.COME_AGAIN)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of it. Tickets, but answers and commands where the name says so."""

    answers: dict[str, int]
    oversold: int
    stranded: int
    """At the end, after the last mending: neither held by anybody nor for sale."""
    unsold: int
    false_refusals: int
    """`sold-out` although there was enough all the time since the flag could have been set."""
    late_refusals: int
    """The same since the attempt began, within the life of a flag: tickets had just come back."""
    died: int
    steals: int
    commands_a_second: int
    """Of the busiest slot in its busiest second."""
    fairness: float
    """Of those who came before the first sell-out: the chance at the unluckiest shard by the luckiest's."""
    slowest_ms: float


class Judge:
    """Sees every grant and return as it happens, and every answer as it is heard. Times in ms."""

    def __init__(self, tickets: int, quantities: Iterable[int], flag_ms: float) -> None:
        """`flag_ms`: how long a sold-out flag may be believed."""
        self.tickets, self.flag_ms = tickets, flag_ms
        self.held = self.oversold = self.false_refusals = self.late_refusals = self.died = 0
        self.below_ms = dict.fromkeys(quantities, float("-inf"))
        self.sold_out_at_ms = 0.0
        self.answers: Counter[Answer] = Counter()
        self.came: list[tuple[float, int, bool]] = []
        self.slowest_ms = 0.0

    def hold(self, tickets: int, now_ms: float) -> None:
        """Somebody has `tickets` more; below 0: gives them back."""
        self._see(now_ms)
        self.held += tickets
        self._see(now_ms)
        self.oversold = max(self.oversold, self.held - self.tickets)

    def heard(self, answer: Answer | None, home: int, wanted: int, began_ms: float, now_ms: float) -> None:
        """A buyer of shard `home` hears `answer`; None: whoever served them has died."""
        self.came.append((began_ms, home, answer is Answer.GRANTED))
        if answer is None:
            self.died += 1
            return
        self.answers[answer] += 1
        self.slowest_ms = max(self.slowest_ms, now_ms - began_ms)
        if answer is Answer.SOLD_OUT:
            self._doubt(wanted, began_ms, now_ms)

    def _see(self, now_ms: float) -> None:
        """Keeps when there was last less to sell than each quantity."""
        left = self.tickets - self.held
        for wanted in self.below_ms:
            if left < wanted:
                self.below_ms[wanted] = now_ms
        if left <= 0 and not self.sold_out_at_ms:
            self.sold_out_at_ms = now_ms

    def _doubt(self, wanted: int, began_ms: float, now_ms: float) -> None:
        self._see(now_ms)
        if self.below_ms[wanted] < began_ms - self.flag_ms:
            self.false_refusals += 1
        elif self.below_ms[wanted] < began_ms:
            self.late_refusals += 1

    def fairness(self) -> float:
        """0 to 1; 0 too when nobody got anything."""
        until_ms = self.sold_out_at_ms or float("inf")
        asked: Counter[int] = Counter()
        granted: Counter[int] = Counter()
        for began_ms, home, won in self.came:
            if began_ms < until_ms:
                asked[home] += 1
                granted[home] += won
        chances = [granted[home] / asked[home] for home in asked]
        best = max(chances, default=0.0)
        return round(min(chances) / best, 3) if best else 0.0


def broken(outcome: Outcome) -> list[str]:
    """The promises that `outcome` breaks, by name; empty when it keeps them all."""
    return [
        name
        for name, kept in (
            ("no oversell", not outcome.oversold),
            ("no stranded ticket", not outcome.stranded),
            ("sold out is true", not outcome.false_refusals),
        )
        if not kept
    ]
