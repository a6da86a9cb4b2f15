"""Decides and records a batch of orders in the ledger: again after a lost race, in halves after a bug.

It keeps away from a ledger that is down. It knows no SQL, no rule of sale and no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from chalicelib.errors import Conflict, OnsaleError, Unavailable
from chalicelib.log import log
from chalicelib.model import OrderPlaced
from chalicelib.rules import Decision, Outcome, decide
from chalicelib.services import Services

BACKOFF_BASE_SECONDS = 0.002
"""About one transaction of a hundred orders: the winner of a race is through by then."""
BACKOFF_CAP_SECONDS = 0.1
"""Twelve attempts stay under a second, a fraction of the function's 15 s."""
HALVING_SECONDS = 3.0
"""For finding the orders that bring a bug out, a part of the function's 15 s."""


class Pace(NamedTuple):
    """How to wait: `sleep` takes seconds, `jitter` gives from 0 to 1, `monotonic` counts seconds."""

    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    monotonic: Callable[[], float]


class Applied(NamedTuple):
    """What became of a batch: a decision for each part of it that is recorded, one if all goes well.

    `faults` has, by order id, why an order failed by itself; `conflicts` is how many races were lost.
    `in_order` is false when the ledger or the worker is at fault: then no record is to blame for anything.
    """

    decisions: list[Decision]
    faults: dict[str, str]
    conflicts: int
    in_order: bool

    @property
    def outcomes(self) -> list[Outcome]:
        """The answers to all orders that are decided."""
        return list(chain.from_iterable(decision.outcomes for decision in self.decisions))


class _Work:
    """What is done so far, whatever comes next."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.faults: dict[str, str] = {}
        self.conflicts = 0

    def result(self, *, in_order: bool) -> Applied:
        """No order has failed by itself unless the rest is in order."""
        return Applied(self.decisions, self.faults if in_order else {}, self.conflicts, in_order)


def apply(services: Services, batch: Sequence[OrderPlaced], pace: Pace) -> Applied:
    """Decides and records what it can of the batch; raises nothing that is not a bug of its own.

    While the ledger is known to be down it first waits, a second at most, until it may be tried again: a
    batch that is held here is one that is not received and given up at full speed.
    """
    breaker, work = services.ledger_breaker, _Work()
    if wait := breaker.wait(pace.monotonic()):
        pace.sleep(wait)
    if not breaker.admits(pace.monotonic()):
        return work.result(in_order=False)
    try:
        _apply_in_parts(services, batch, pace, work)
    except (Conflict, Unavailable) as error:
        if isinstance(error, Unavailable):
            breaker.failed(pace.monotonic())
        log("batch-not-applied", "error", part="ledger", detail=error.detail, records=len(batch))
        return work.result(in_order=False)
    if work.faults and not work.decisions and len({placed.order_id for placed in batch}) > 1:
        # Hardly that many bad orders at once, but a bad deployment: it must not bury everybody's.
        breaker.failed(pace.monotonic())
        log(
            "every-order-failed",
            "error",
            records=len(batch),
            error=next(iter(work.faults.values())).partition(":")[0],
        )
        return work.result(in_order=False)
    if batch:
        breaker.succeeded()
    return work.result(in_order=True)


def reason_of(error: Exception) -> str:
    """One text for an operator: what kind of error, and what it says, 500 characters at most."""
    return f"{type(error).__name__}: {error}"[:500]


def cause_of(error: Exception) -> str:
    """The same for the log: a bug's own words are left out, they may quote a buyer's."""
    return error.detail if isinstance(error, OnsaleError) else type(error).__name__


def _apply_in_parts(services: Services, batch: Sequence[OrderPlaced], pace: Pace, work: _Work) -> None:
    """Does the work; what it had no time for is neither decided nor a fault. Raises Conflict, Unavailable."""
    parts = [batch] if batch else []
    limit = pace.monotonic() + HALVING_SECONDS
    while parts:
        part = parts.pop()
        try:
            work.decisions.append(_applied(services, part, pace, work))
        except (Conflict, Unavailable):
            raise
        except Exception as error:
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                work.faults[part[0].order_id] = reason_of(error)
                log("order-failed", "error", orderId=part[0].order_id, error=type(error).__name__)
            if pace.monotonic() > limit:
                return


def _applied(services: Services, batch: Sequence[OrderPlaced], pace: Pace, work: _Work) -> Decision:
    """Decides and records in one transaction, again after each lost race. Raises the last Conflict."""
    for attempt in range(services.settings.apply_attempts):
        try:
            with services.ledger.attempt() as ledger:
                snapshot = ledger.snapshot(batch, hold=attempt > 0)
                decision = decide(batch, snapshot, services.clock())
                ledger.record(decision)
        except Conflict:
            work.conflicts += 1
            pace.sleep(pace.jitter() * min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2**attempt))
        else:
            return decision
    raise Conflict("lost every race for the batch's rows")
