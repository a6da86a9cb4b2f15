"""Decides and records a batch of orders in the ledger: again after a lost race, in halves after a bug.

It keeps away from a ledger that is down. It knows no SQL, no rule of sale and no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.errors import Conflict, OnsaleError, Unavailable
from chalicelib.log import log
from chalicelib.model import OrderPlaced
from chalicelib.rules import Outcome, decide
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
    """What became of a batch. `faults` has, by order id, why an order failed by itself.

    `in_order` is false when the ledger or the worker is at fault: then no record is to blame for anything.
    """

    outcomes: list[Outcome]
    faults: dict[str, str]
    in_order: bool


def apply(services: Services, batch: Sequence[OrderPlaced], pace: Pace) -> Applied:
    """Decides and records what it can of the batch; raises nothing that is not a bug of its own.

    While the ledger is known to be down it first waits, a second at most, until it may be tried again: a
    batch that is held here is one that is not received and given up at full speed.
    """
    breaker = services.ledger_breaker
    if wait := breaker.wait(pace.monotonic()):
        pace.sleep(wait)
    if not breaker.admits(pace.monotonic()):
        return Applied([], {}, in_order=False)
    outcomes: list[Outcome] = []
    faults: dict[str, str] = {}
    try:
        _apply_in_parts(services, batch, pace, outcomes, faults)
    except (Conflict, Unavailable) as error:
        if isinstance(error, Unavailable):
            breaker.failed(pace.monotonic())
        log("batch-not-applied", "error", part="ledger", detail=error.detail, records=len(batch))
        return Applied(outcomes, {}, in_order=False)
    if faults and not outcomes and len(batch) > 1:
        # Hardly that many bad orders at once, but a bad deployment: it must not bury everybody's.
        breaker.failed(pace.monotonic())
        log(
            "every-order-failed",
            "error",
            records=len(batch),
            error=next(iter(faults.values())).partition(":")[0],
        )
        return Applied([], {}, in_order=False)
    if batch:
        breaker.succeeded()
    return Applied(outcomes, faults, in_order=True)


def reason_of(error: Exception) -> str:
    """One text for an operator: what kind of error, and what it says, 500 characters at most."""
    return f"{type(error).__name__}: {error}"[:500]


def cause_of(error: Exception) -> str:
    """The same for the log: a bug's own words are left out, they may quote a buyer's."""
    return error.detail if isinstance(error, OnsaleError) else type(error).__name__


def _apply_in_parts(
    services: Services,
    batch: Sequence[OrderPlaced],
    pace: Pace,
    outcomes: list[Outcome],
    faults: dict[str, str],
) -> None:
    """Fills `outcomes` and `faults`; what it had no time for is in neither. Raises Conflict, Unavailable."""
    parts = [batch] if batch else []
    limit = pace.monotonic() + HALVING_SECONDS
    while parts:
        part = parts.pop()
        try:
            outcomes += _applied(services, part, pace)
        except (Conflict, Unavailable):
            raise
        except Exception as error:
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                faults[part[0].order_id] = reason_of(error)
                log("order-failed", "error", orderId=part[0].order_id, error=type(error).__name__)
            if pace.monotonic() > limit:
                return


def _applied(services: Services, batch: Sequence[OrderPlaced], pace: Pace) -> tuple[Outcome, ...]:
    """Decides and records in one transaction, again after each lost race. Raises the last Conflict."""
    for attempt in range(services.settings.apply_attempts):
        try:
            with services.ledger.attempt() as ledger:
                snapshot = ledger.snapshot(batch, hold=attempt > 0)
                decision = decide(batch, snapshot, services.clock())
                ledger.record(decision)
        except Conflict:
            pace.sleep(pace.jitter() * min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2**attempt))
        else:
            _log_applied(decision.outcomes, attempt)
            return decision.outcomes
    raise Conflict("lost every race for the batch's rows")


def _log_applied(outcomes: Sequence[Outcome], conflicts: int) -> None:
    """One line a batch: a line an order would cost more than the order."""
    known = sum(outcome.known for outcome in outcomes)
    kept = sum(outcome.kept for outcome in outcomes)
    log("batch-applied", orders=len(outcomes), kept=kept, known=known, conflicts=conflicts)
