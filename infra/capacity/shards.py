"""One shard of an event's stock, with the scripts that a sharded gate would have; each method is one of them.

A script sees its own slot and nothing else, and is atomic. Simulated: the design is docs/decisions/0020.
It must not know other shards, latency, or who calls.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import NamedTuple


class Answer(StrEnum):
    """What an attempt hears. The last two are between scripts: help, and wait for who helps."""

    GRANTED = "granted"
    SOLD_OUT = "sold-out"
    COME_AGAIN = "come-again"
    SHORT = "short"
    WAIT = "wait"


class Look(NamedTuple):
    """What one shard says of itself. `additions` only ever grows: with it, two looks make one moment."""

    stock: int
    moving: int
    additions: int
    at_ms: float


class Transfer(NamedTuple):
    """Tickets that have left a shard and are not known to have arrived."""

    name: str
    to: int
    tickets: int
    at_ms: float


@dataclass
class Shard:
    """The keys of one slot. All times are ms of the simulation."""

    stock: int
    leaving: dict[str, Transfer] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    additions: int = 0
    locked_until_ms: float = 0.0
    known: tuple[int, int, float] = (0, 0, 0.0)
    """The flag: tickets left anywhere, tickets on the way, until when that is believed."""
    commands: Counter[int] = field(default_factory=Counter)
    """Scripts by second."""

    def admit(self, wanted: int, now_ms: float, lock_ms: float) -> Answer:
        """Takes the tickets, or refuses by the flag. When only the other shards can tell, one caller is sent.

        A dead thief's lock ends by itself; two thieves at once are a waste and do no harm.
        """
        if self.stock >= wanted:
            self.stock -= wanted
            return Answer.GRANTED
        left, moving, until_ms = self.known
        if now_ms < until_ms and left < wanted:
            return Answer.COME_AGAIN if left + moving >= wanted else Answer.SOLD_OUT
        if now_ms < self.locked_until_ms:
            return Answer.WAIT
        self.locked_until_ms = now_ms + lock_ms
        return Answer.SHORT

    def unlock(self, left: int, moving: int, until_ms: float) -> None:
        """Gives the lock back and leaves what was found for those who wait."""
        self.locked_until_ms = 0.0
        self.known = (left, moving, until_ms)

    def look(self, now_ms: float) -> Look:
        """Stock, tickets on their way from here, and the count of additions."""
        moving = sum(moved.tickets for moved in self.leaving.values())
        return Look(self.stock, moving, self.additions, now_ms)

    def take(self, name: str, to: int, missing: int, share: float, now_ms: float) -> int:
        """First step: takes a share of the stock off, at least `missing`, and notes where it goes."""
        tickets = min(self.stock, max(missing, ceil(self.stock * share)))
        if tickets:
            self.stock -= tickets
            self.leaving[name] = Transfer(name, to, tickets, now_ms)
        return tickets

    def add(self, name: str, tickets: int) -> bool:
        """Second step: adds a transfer once, however often it is asked to."""
        if name in self.arrived:
            return False
        self.arrived.add(name)
        self.give(tickets)
        return True

    def forget(self, name: str) -> None:
        """Last step: the transfer has arrived."""
        self.leaving.pop(name, None)

    def give(self, tickets: int) -> None:
        """Puts tickets up for sale: a transfer, or a rejected order's."""
        self.stock += tickets
        self.additions += 1

    def overdue(self, before_ms: float) -> list[Transfer]:
        """Transfers that left before then: whoever made them has died, or is very slow."""
        return [moved for moved in self.leaving.values() if moved.at_ms < before_ms]
