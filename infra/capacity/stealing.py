"""What the callers of a sharded gate do: place an attempt, steal, mend. Written as generators.

Each yields a list of scripts (shard, call), which run at the same time and not at one moment, or a pause in
ms; it is sent their results. It must not know the clock's driver, nor count anything.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple

from infra.capacity.shards import Answer, Look, Shard, Transfer

Script = tuple[int, Callable[[Shard, float], Any]]
Caller = Generator[list[Script] | float, Any, Any]


class Policy(StrEnum):
    """How a short shard is helped. All but TWO_STEP are wrong on purpose."""

    TWO_STEP = "two-step"
    NONE = "none"
    ADD_FIRST = "add-first"
    """Adds what it has seen elsewhere, then takes it there."""
    UNRECORDED = "unrecorded"
    """Takes without a note: a crash loses the tickets."""
    ONE_LOOK = "one-look"
    """Says sold out after one look: tickets that move from a shard not yet seen to one seen are missed."""
    STOCK_ONLY = "stock-only"
    """Says sold out by the stocks alone: tickets on their way are missed."""


class Terms(NamedTuple):
    """Constants of the design, in ms but `share` and `tries`."""

    share: float = 0.5
    """Of a victim's stock that is taken."""
    sold_out_ms: float = 1_000.0
    """Life of the sold-out flag: how long a returned ticket may be denied."""
    moving_ms: float = 20.0
    lock_ms: float = 50.0
    wait_ms: float = 4.0
    """Before the second try; twice as long before each further one."""
    tries: int = 6
    """Scripts of one attempt before its buyer is asked to come again."""
    overdue_ms: float = 100.0
    """After which anybody may finish a transfer."""
    mend_every_ms: float = 2_000.0


class Callers:
    """The programs of all callers. `dies` is asked between the steps of each transfer."""

    def __init__(self, shards: int, policy: Policy, terms: Terms, dies: Callable[[], bool]) -> None:
        """`shards`: how many there are; their numbers are 0 and up."""
        self.everywhere = range(shards)
        self.policy, self.terms, self.dies = policy, terms, dies
        self.names = count()
        self.steals = 0

    def attempt(self, home: int, wanted: int) -> Caller:
        """One buyer's attempt at their shard `home`. Returns an Answer, None when the caller has died."""
        for turn in range(self.terms.tries):
            (answer,) = yield [(home, lambda shard, now: shard.admit(wanted, now, self.terms.lock_ms))]
            if answer not in (Answer.SHORT, Answer.WAIT):
                return answer
            if self.policy is Policy.NONE:
                return Answer.SOLD_OUT
            if answer is Answer.WAIT:
                yield self.terms.wait_ms * 2**turn
            elif not (yield from self._help(home, wanted)):
                return None
        return Answer.COME_AGAIN

    def _help(self, home: int, wanted: int) -> Caller:
        """Brings tickets to `home`, or finds that there are none. False when the caller has died."""
        seen: list[Look] = yield self._looks()
        left, moving = sum(look.stock for look in seen), sum(look.moving for look in seen)
        if left >= wanted:
            if not (yield from self._steal(home, wanted - seen[home].stock, seen)):
                return False
            yield [(home, lambda shard, _: shard.unlock(0, 0, 0.0))]
            return True
        if moving:
            yield from self._finish_overdue()
        again = seen if self.policy is Policy.ONE_LOOK else (yield self._looks())
        if [look.additions for look in again] != [look.additions for look in seen]:
            yield [(home, lambda shard, _: shard.unlock(0, 0, 0.0))]
            return True
        if self.policy is Policy.STOCK_ONLY:
            moving = 0
        until_ms = min(look.at_ms for look in seen)
        until_ms += self.terms.moving_ms if moving else self.terms.sold_out_ms
        yield [(home, lambda shard, _: shard.unlock(left, moving, until_ms))]
        return True

    def _looks(self) -> list[Script]:
        return [(number, lambda shard, now: shard.look(now)) for number in self.everywhere]

    def _steal(self, home: int, missing: int, seen: list[Look]) -> Caller:
        """From the richest, and the next, until nothing is missing. False when the caller has died."""
        richest = sorted(self.everywhere, key=lambda number: -seen[number].stock)
        move = self._add_first if self.policy is Policy.ADD_FIRST else self._take_first
        for victim in richest:
            if missing <= 0:
                break
            if victim != home and seen[victim].stock:
                self.steals += 1
                moved = yield from move(victim, home, missing, seen[victim].stock)
                if moved is None:
                    return False
                missing -= moved
        return True

    def _take_first(self, victim: int, home: int, missing: int, _seen: int) -> Caller:
        name, share = f"{next(self.names)}", self.terms.share
        (moved,) = yield [(victim, lambda shard, now: shard.take(name, home, missing, share, now))]
        if self.policy is Policy.UNRECORDED:
            yield [(victim, lambda shard, _: shard.forget(name))]
        if self.dies():
            return None
        if moved:
            yield from _finish(victim, Transfer(name, home, moved, 0.0))
        return moved

    def _add_first(self, victim: int, home: int, missing: int, seen: int) -> Caller:
        name, tickets = f"{next(self.names)}", min(seen, max(missing, seen // 2))
        yield [(home, lambda shard, _: shard.add(name, tickets))]
        if self.dies():
            return None
        yield [(victim, lambda shard, now: shard.take(name, home, tickets, 0.0, now))]
        yield [(victim, lambda shard, _: shard.forget(name))]
        return tickets

    def mend(self, until_ms: float) -> Caller:
        """The reconciler: finishes what the dead have begun. Forward only, since an addition counts once."""
        now_ms = 0.0
        while now_ms < until_ms:
            yield self.terms.mend_every_ms
            now_ms = yield from self._finish_overdue()

    def _finish_overdue(self) -> Caller:
        """Does the last two steps of transfers that were left lying. Returns the time at which it looked."""
        overdue = yield [
            (number, lambda shard, now: (now, shard.overdue(now - self.terms.overdue_ms)))
            for number in self.everywhere
        ]
        for victim, (_, transfers) in enumerate(overdue):
            for moved in transfers:
                yield from _finish(victim, moved)
        return overdue[0][0]


def _finish(victim: int, moved: Transfer) -> Caller:
    yield [(moved.to, lambda shard, _: shard.add(moved.name, moved.tickets))]
    yield [(victim, lambda shard, _: shard.forget(moved.name))]
