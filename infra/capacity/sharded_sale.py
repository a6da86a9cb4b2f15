"""A sale at a sharded gate, simulated: seeded, without a clock. The same arguments give the same outcome.

It drives callers and shards and tells the judge; it must not decide what either does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import msgspec

from infra.capacity.judge import HEARD, Judge, Outcome
from infra.capacity.shards import Answer, Shard
from infra.capacity.stealing import Caller, Callers, Policy, Script, Terms

QUANTITIES = (1, 1, 2, 2, 4)
"""What buyers want, each as likely."""

Done = Callable[[Answer | None], None]


class Crowd(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One simulated sale. `hot_share` of the attempts go to shard 0, on top of its even part."""

    tickets: int = 2_000
    attempts: int = 12_000
    seconds: float = 2.0
    shards: int = 8
    hot_share: float = 0.0
    round_trip_ms: float = 1.0
    death: float = 0.0
    """Chance that a caller dies between the steps of a transfer."""
    return_share: float = 0.0
    """Share of the granted that the ledger rejects; their tickets return after about `return_ms`."""
    return_ms: float = 300.0
    seed: int = 1


class SimulatedSale:
    """The driver: a heap of events by time, and a latency by chance for each way of each script."""

    def __init__(self, crowd: Crowd, policy: Policy, terms: Terms) -> None:
        """The stock is split as evenly as it goes."""
        self.crowd = crowd
        self.random = Random(crowd.seed)  # noqa: S311 - a simulation
        each, rest = divmod(crowd.tickets, crowd.shards)
        self.shards = [Shard(each + (number < rest)) for number in range(crowd.shards)]
        self.callers = Callers(crowd.shards, policy, terms, lambda: self.random.random() < crowd.death)
        self.judge = Judge(crowd.tickets, QUANTITIES, terms.sold_out_ms)
        self.heap: list[tuple[float, int, Callable[[], None]]] = []
        self.order = count()
        self.now_ms = 0.0

    def run(self) -> Outcome:
        """Plays everything to its end."""
        span_ms = self.crowd.seconds * 1_000
        for _ in range(self.crowd.attempts):
            self._in(self.random.uniform(0, span_ms), self._arrive)
        self._resume(self.callers.mend(span_ms + 5_000), None, lambda _: None)
        while self.heap:
            self.now_ms, _, event = heapq.heappop(self.heap)
            event()
        return self._outcome()

    def _in(self, after_ms: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.heap, (self.now_ms + after_ms, next(self.order), event))

    def _arrive(self) -> None:
        hot = self.random.random() < self.crowd.hot_share
        home = 0 if hot else self.random.randrange(self.crowd.shards)
        wanted, began_ms = self.random.choice(QUANTITIES), self.now_ms

        def heard(answer: Answer | None) -> None:
            self.judge.heard(answer, home, wanted, began_ms, self.now_ms)
            if answer is Answer.GRANTED and self.random.random() < self.crowd.return_share:
                self._in(
                    self.random.expovariate(1 / self.crowd.return_ms), lambda: self._return(home, wanted)
                )

        self._resume(self.callers.attempt(home, wanted), None, heard)

    def _return(self, home: int, tickets: int) -> None:
        self.judge.hold(-tickets, self.now_ms)
        self.shards[home].give(tickets)

    def _resume(self, caller: Caller, value: object, done: Done) -> None:
        """Lets a caller go on until it waits: for a pause, or for all scripts that it has asked for."""
        try:
            asked = caller.send(value)
        except StopIteration as end:
            done(end.value)
            return
        if isinstance(asked, list):
            self._ask(asked, lambda results: self._resume(caller, results, done))
        else:
            self._in(asked, lambda: self._resume(caller, None, done))

    def _ask(self, scripts: list[Script], go_on: Callable[[list[Any]], None]) -> None:
        results: dict[int, Any] = {}

        def answered(place: int, result: Any) -> None:
            results[place] = result
            if len(results) == len(scripts):
                go_on([results[each] for each in range(len(scripts))])

        for place, script in enumerate(scripts):
            self._in(self._one_way_ms(), self._execution(place, script, answered))

    def _execution(
        self, place: int, script: Script, answered: Callable[[int, Any], None]
    ) -> Callable[[], None]:
        number, call = script

        def execute() -> None:
            shard = self.shards[number]
            shard.commands[int(self.now_ms // 1_000)] += 1
            before = shard.stock
            result = call(shard, self.now_ms)
            if result is Answer.GRANTED:
                self.judge.hold(before - shard.stock, self.now_ms)
            self._in(self._one_way_ms(), lambda: answered(place, result))

        return execute

    def _one_way_ms(self) -> float:
        """A quarter of the round trip at the least, half of it on average, and now and then far more."""
        return self.crowd.round_trip_ms * (0.25 + self.random.expovariate(4.0))

    def _outcome(self) -> Outcome:
        judge = self.judge
        unsold = self.crowd.tickets - judge.held
        return Outcome(
            answers={answer.value: judge.answers[answer] for answer in HEARD},
            oversold=judge.oversold,
            stranded=unsold - sum(shard.stock for shard in self.shards),
            unsold=unsold,
            false_refusals=judge.false_refusals,
            late_refusals=judge.late_refusals,
            died=judge.died,
            steals=self.callers.steals,
            commands_a_second=max(max(shard.commands.values(), default=0) for shard in self.shards),
            fairness=judge.fairness(),
            slowest_ms=round(judge.slowest_ms, 1),
        )


def simulate(crowd: Crowd, policy: Policy = Policy.TWO_STEP, terms: Terms | None = None) -> Outcome:
    """Plays `crowd` against a gate of `policy`, and returns what the judge has seen."""
    return SimulatedSale(crowd, policy, terms or Terms()).run()
