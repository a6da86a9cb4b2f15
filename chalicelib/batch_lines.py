"""What a batch has to say when it is over: one line of itself, and one for each event and kind of answer.

A line an order would cost more than the order. An answer that was known before is not told again, so that a
message that comes twice counts once. It knows no store and no message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from chalicelib.metrics import Value, chunks, emit
from chalicelib.model import OrderStatus
from chalicelib.rules import Decision, Outcome

NO_EVENT = "event-not-found"
"""Why an order is rejected whose event there is not: a forged number must not make metrics of its own."""
_NAMES = {
    OrderStatus.CONFIRMED: "Confirmed",
    OrderStatus.RESERVED: "Reserved",
    OrderStatus.REJECTED: "Rejected",
}


class BatchFacts(NamedTuple):
    """How a batch went."""

    size: int
    """Records in it."""
    apply_seconds: float
    """What deciding and recording took."""
    conflicts: int
    """Races lost."""
    retries: int
    """Records that come again."""


class Answers:
    """New answers of one event that are told together: those with tickets, or rejected for one reason."""

    def __init__(self) -> None:
        """Starts with none."""
        self.counts: Counter[str] = Counter()
        self.latencies_ms: list[int] = []

    def add(self, outcome: Outcome, decided_ms: int) -> None:
        """Counts one. It was accepted by another machine's clock, which may be ahead of ours."""
        self.counts[_NAMES[outcome.status]] += 1
        self.latencies_ms.append(max(0, decided_ms - outcome.placed.accepted_at_ms))

    def lines(self) -> Iterator[dict[str, Value]]:
        """The values of each line: the first has the counts, and none has more latencies than it may."""
        counts: Mapping[str, Value] = self.counts
        for latencies in chunks(self.latencies_ms):
            yield {**counts, "DecideLatency": latencies}
            counts = {}


def new_answers(decisions: Iterable[Decision]) -> dict[tuple[int, str | None], Answers]:
    """Sorts what was decided now by event, and by reason where it was no."""
    found: dict[tuple[int, str | None], Answers] = {}
    for decision in decisions:
        decided_ms = round(decision.decided_at.timestamp() * 1_000)
        for outcome in decision.outcomes:
            if not outcome.known:
                found.setdefault((outcome.event_id, outcome.reason), Answers()).add(outcome, decided_ms)
    return found


def tell(decisions: Sequence[Decision], facts: BatchFacts, *, breaker_open: bool) -> None:
    """Writes the lines of a batch; `breaker_open` says that a store is down, as far as is known."""
    outcomes = [outcome for decision in decisions for outcome in decision.outcomes]
    fields = {
        "orders": len(outcomes),
        "kept": sum(outcome.kept for outcome in outcomes),
        "known": sum(outcome.known for outcome in outcomes),
        "transactions": len(decisions),
    }
    values: dict[str, Value] = {
        "BatchSize": facts.size,
        "ApplyLatency": round(facts.apply_seconds * 1_000, 3),
        "VersionConflicts": facts.conflicts,
        "Retries": facts.retries,
        "BreakerOpen": int(breaker_open),
    }
    emit("batch-applied", values, fields=fields)
    for (event_id, reason), answers in new_answers(decisions).items():
        about = {"eventId": event_id} if reason is None else {"eventId": event_id, "code": reason}
        real = None if reason == NO_EVENT else event_id
        for line in answers.lines():
            emit("orders-decided", line, fields=about, event_id=real, code=reason)
