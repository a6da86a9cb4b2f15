"""What the benchmark measured, as one value, and what each figure is held against. Pure.

It must not know how anything was measured, nor the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from infra.rush.measures import Latency

HOT_BATCH = 100
"""The batch size that the target is stated for; the app's own."""


class HandlerCpu(msgspec.Struct, frozen=True, kw_only=True):
    """CPU µs of one POST /orders inside the handler, on one thread: the `whole`, and the parts of it.

    `dispatch` is what Chalice takes for GET /health, `rest` what no other part has used. The ledger is no
    part of it: that it was not asked is checked.
    """

    whole: float
    dispatch: float
    gate: float
    queue: float

    @property
    def rest(self) -> float:
        """Reading, validating, answering and logging."""
        return self.whole - self.dispatch - self.gate - self.queue


class LedgerRate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Orders a second through one hot ticket type, in batches of `batch`, and the raw insert of the same."""

    batch: int
    raw_insert_per_second: float
    fulfilled_per_second: float

    @property
    def share(self) -> float:
        """Ours as a share of the raw insert."""
        return self.fulfilled_per_second / self.raw_insert_per_second


class SoldOut(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Refusals over HTTP. `transactions` and `messages` are what PostgreSQL and SQS saw during `answers`.

    `cpu_micros` is CPU µs an answer, by part of the stack and `crowd` for the asking side.
    """

    raw_evalsha_per_second: float
    answers_per_second: float
    answer_ms: Latency
    answers: int
    transactions: int
    messages: int
    cpu_micros: dict[str, float]

    @property
    def touches_per_thousand(self) -> float:
        """Transactions and messages for a thousand answers; the scheduled function makes a few meanwhile."""
        return (self.transactions + self.messages) * 1_000 / self.answers


class EndToEnd(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One rush in which every order is accepted, and confirmed by fulfilment at the same time.

    `cpu_micros` is CPU µs an order until the last is decided; `decided_soon_share` (0 to 1) counts those
    within a second of their 202.
    """

    orders: int
    raw_sends_per_second: float
    accepted_per_second: float
    confirmed_per_second: float
    accept_ms: Latency
    decide_ms: Latency
    decided_soon_share: float
    cpu_micros: dict[str, float]


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """CPU inside the handler, of an order that is accepted and of one that is refused."""

    accepted: HandlerCpu
    refused: HandlerCpu


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that was measured. `second_start_seconds` is `make up` on data that is already there."""

    sold_out: SoldOut
    end_to_end: EndToEnd
    ledger: tuple[LedgerRate, ...]
    handler: Handler
    second_start_seconds: float

    def ledger_at(self, batch: int) -> LedgerRate:
        """The ledger's rates at a batch size. Raises StopIteration when it was not measured."""
        return next(rate for rate in self.ledger if rate.batch == batch)


class Target(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A figure that was asked for. `least` says which way is good: at least `wanted`, or at most."""

    figure: str
    wanted: float
    measured: float
    least: bool = True

    @property
    def met(self) -> bool:
        """Whether the measured figure is on the good side; the edge is good."""
        return self.measured >= self.wanted if self.least else self.measured <= self.wanted

    @property
    def margin(self) -> float:
        """By how much of `wanted` it is better (above 0) or worse (below 0)."""
        better = self.measured - self.wanted if self.least else self.wanted - self.measured
        return better / self.wanted


def targets(figures: Figures) -> Iterator[Target]:
    """Each target beside its figure, for the 2-core reference machine with everything on it."""
    sold_out, run, handler = figures.sold_out, figures.end_to_end, figures.handler
    hot = figures.ledger_at(HOT_BATCH)
    yield Target(figure="soldOutPerSecond", wanted=7_000, measured=sold_out.answers_per_second)
    yield Target(
        figure="soldOutTouchesPerThousand",
        wanted=1,
        measured=round(sold_out.touches_per_thousand, 3),
        least=False,
    )
    yield Target(figure="acceptedPerSecond", wanted=1_300, measured=run.accepted_per_second)
    yield Target(figure="confirmedPerSecond", wanted=1_300, measured=run.confirmed_per_second)
    yield Target(figure="acceptP99Ms", wanted=80, measured=run.accept_ms.p99, least=False)
    yield Target(figure="decidedSoonShare", wanted=0.95, measured=run.decided_soon_share)
    yield Target(figure="fulfilledPerSecond", wanted=20_000, measured=hot.fulfilled_per_second)
    yield Target(figure="fulfilledShare", wanted=0.333, measured=round(hot.share, 3))
    yield Target(figure="acceptedMicros", wanted=600, measured=handler.accepted.whole, least=False)
    yield Target(figure="refusedMicros", wanted=250, measured=handler.refused.whole, least=False)
    yield Target(figure="secondStartSeconds", wanted=10, measured=figures.second_start_seconds, least=False)
