"""The queue-triggered function: turns a batch of messages into recorded answers and settled claims.

First the ledger commits, then the gate settles: a crash between the two is mended by redelivery, since
an order id that the ledger knows changes nothing there. A gate that has forgotten an order's claim still has
its tickets for sale, so it is realigned. This module knows no SQL and no rule of sale.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.applying import Pace, apply, cause_of
from chalicelib.batch_lines import BatchFacts, tell
from chalicelib.errors import Unavailable
from chalicelib.log import log
from chalicelib.records import Record, read
from chalicelib.redelivery import bury, count_failures, hand_back
from chalicelib.restock import restock
from chalicelib.rules import Outcome
from chalicelib.services import Services

SETTLE_LIMIT_SECONDS = 3.0
"""After this long no further event is tried at a gate that fails; a part of the function's 15 s."""


def fulfil(
    services: Services,
    event: dict[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Applies the SQS event of one batch: one decision, one transaction, whatever its size (to 10,000).

    Returns {"batchItemFailures": [{"itemIdentifier": messageId}]}: the records that must come again, each
    hidden for a while that grows. A record that nobody can read fails alone, and so does one that meets a
    bug; too many failures of its own make it a dead letter. When the ledger is not available, or after
    `settings.apply_attempts` lost races, every record comes again; when the gate is not available, those of
    the events that it did not settle. `sleep`, `jitter` and `monotonic` are those of `Pace`.
    """
    pace = Pace(sleep, jitter, monotonic)
    orders, reasons = read(event["Records"])
    for message_id, reason in reasons.items():
        log("message-undecodable", "error", messageId=message_id, detail=reason)
    failed = list(reasons)
    began = monotonic()
    applied = apply(services, [placed for _, placed in orders], pace)
    apply_seconds = monotonic() - began
    done = _settled(services, applied.outcomes, pace)
    failed += [message_id for message_id, placed in orders if placed.order_id not in done]
    if failed:
        faults = applied.faults
        reasons |= {id_: faults[placed.order_id] for id_, placed in orders if placed.order_id in faults}
        records = {record["messageId"]: record for record in event["Records"]}
        blamed = [records[message_id] for message_id in reasons] if applied.in_order else []
        aside = _set_aside(services, blamed, reasons, pace)
        failed = [message_id for message_id in failed if message_id not in aside]
        hand_back(services, [records[message_id] for message_id in failed], jitter)
    facts = BatchFacts(
        size=len(event["Records"]),
        apply_seconds=apply_seconds,
        conflicts=applied.conflicts,
        retries=len(failed),
    )
    tell(applied.decisions, facts, breaker_open=services.is_broken(monotonic()))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _settled(services: Services, outcomes: Sequence[Outcome], pace: Pace) -> set[str]:
    """Settles the claims of decided orders, event by event. Returns the order ids that are through.

    A gate that is down keeps nobody from being decided, so nobody waits here for it to be tried again.
    One that is wiped while orders are on their way has no claims of them, and what they took is on sale anew.
    """
    events: dict[int, tuple[list[str], list[str]]] = {}
    for outcome in outcomes:
        kept, returned = events.setdefault(outcome.event_id, ([], []))
        (kept if outcome.kept else returned).append(outcome.order_id)
    decided_now = Counter(outcome.event_id for outcome in outcomes if not outcome.known)
    settled: set[str] = set()
    forgetful: list[int] = []
    breaker, started = services.gate_breaker, pace.monotonic()
    if not events or not breaker.admits(started):
        return settled
    for event_id, (kept, returned) in events.items():
        try:
            claims = services.gate.settle(event_id, kept, returned)
        except Exception as error:  # a bug as well: the orders are decided and not to blame
            log("claims-not-settled", "error", eventId=event_id, detail=cause_of(error))
            if pace.monotonic() - started > SETTLE_LIMIT_SECONDS:
                break
        else:
            settled.update(kept, returned)
            if claims < decided_now[event_id]:
                forgetful.append(event_id)
    restock(services, forgetful)
    if settled:
        breaker.succeeded()
    else:
        breaker.failed(pace.monotonic())
    return settled


def _set_aside(
    services: Services, blamed: Sequence[Record], reasons: Mapping[str, str], pace: Pace
) -> set[str]:
    """Counts the failures of records that are to blame; returns the message ids that are dead letters now.

    What goes wrong in this costs nobody an order: the records come again.
    """
    if not blamed:
        return set()
    try:
        hopeless = count_failures(services, blamed, reasons)
        services.ledger_breaker.succeeded()
        dead = [record for record in blamed if record["messageId"] in hopeless.to_move]
        if moved := bury(services, dead, reasons, pace.monotonic):
            _note_moved(services, moved)
        return moved | hopeless.moved
    except Exception as error:
        if isinstance(error, Unavailable):
            services.ledger_breaker.failed(pace.monotonic())
        log("failures-not-recorded", "error", detail=cause_of(error), records=len(blamed))
        return set()


def _note_moved(services: Services, moved: set[str]) -> None:
    """They are on the dead-letter queue, noted or not: they must not come again for this."""
    try:
        services.ledger.mark_moved(moved, services.clock())
    except Exception as error:
        log("moves-not-recorded", "error", detail=cause_of(error), records=len(moved))
