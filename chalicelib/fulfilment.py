"""The queue-triggered function: turns a batch of messages into recorded answers and settled claims.

First the ledger commits, then the gate settles: a crash between the two is mended by redelivery, since
an order id that the ledger knows changes nothing there. This module knows no SQL and no rule of sale.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chalicelib.errors import Conflict, Unavailable
from chalicelib.log import log
from chalicelib.model import OrderPlaced
from chalicelib.order_ids import is_uuid
from chalicelib.queue.messages import Undecodable, decode
from chalicelib.rules import Outcome, decide
from chalicelib.services import Services

BACKOFF_BASE_SECONDS = 0.002
"""About one transaction of a hundred orders: the winner of a race is through by then."""
BACKOFF_CAP_SECONDS = 0.1
"""Twelve attempts stay under a second, a fraction of the function's 15 s."""

LONGEST_TEXTS = 650
"""Characters of an order's texts together: a buyer and a key of these fit an index entry (2,704 bytes)."""

_INT, _BIGINT = 2**31, 2**63
_YEAR_9999_MS = 253_402_300_800_000


def fulfil(
    services: Services,
    event: dict[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> dict[str, Any]:
    """Applies the SQS event of one batch: one decision, one transaction, whatever its size (to 10,000).

    Returns {"batchItemFailures": [{"itemIdentifier": messageId}]}: the records that must come again.
    A record that nobody can read fails alone. When the ledger is not available, or after
    `settings.apply_attempts` lost races, every readable record fails; when the gate is not available, those
    of the events that it did not settle. `sleep` takes seconds, `jitter` gives a number from 0 to 1.
    """
    orders, failed = _read(event["Records"])
    try:
        outcomes = _applied(services, [placed for _, placed in orders], sleep, jitter)
        unsettled = _settle(services, outcomes)
    except Unavailable as error:
        log("batch-not-applied", "error", part=error.part, detail=error.detail, records=len(orders))
        unsettled = {placed.order_id for _, placed in orders}
    failed += [message_id for message_id, placed in orders if placed.order_id in unsettled]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _read(records: Iterable[dict[str, Any]]) -> tuple[list[tuple[str, OrderPlaced]], list[str]]:
    """Returns the readable orders with their message ids, and the message ids of the rest."""
    orders: list[tuple[str, OrderPlaced]] = []
    unreadable: list[str] = []
    for record in records:
        message_id = record["messageId"]
        try:
            orders.append((message_id, _order_in(record["body"])))
        except Undecodable as error:
            log("message-undecodable", "error", messageId=message_id, detail=str(error))
            unreadable.append(message_id)
    return orders, unreadable


def _order_in(body: str) -> OrderPlaced:
    """Decodes a message, and refuses one that no row could hold: it must not fail its whole batch."""
    placed = decode(body)
    if not is_uuid(placed.order_id):
        raise Undecodable("orderId is no UUID in lower case")
    if not (0 < placed.event_id < _INT and 0 <= placed.accepted_at_ms < _YEAR_9999_MS):
        raise Undecodable("eventId or acceptedAtMs out of range")
    _check_texts(placed)
    tickets = money = 0
    for item in placed.items:
        if item.quantity < 1 or item.unit_price < 0:
            raise Undecodable("an item's quantity is below 1 or its price below 0")
        tickets += item.quantity
        money += item.quantity * item.unit_price
    if not 0 < tickets < _INT or money >= _BIGINT:
        raise Undecodable("items: none, too many tickets or too much money")
    return placed


def _check_texts(placed: OrderPlaced) -> None:
    text = placed.user_id + placed.currency
    if placed.idempotency_key is not None or placed.request_digest is not None:
        text += (placed.idempotency_key or "") + (placed.request_digest or "")
    if "\0" in text:
        raise Undecodable("a text has a NUL in it")
    if len(text) > LONGEST_TEXTS:
        raise Undecodable(f"its texts are longer than {LONGEST_TEXTS} characters")


def _applied(
    services: Services,
    batch: Sequence[OrderPlaced],
    sleep: Callable[[float], None],
    jitter: Callable[[], float],
) -> tuple[Outcome, ...]:
    """Decides and records the batch, again after each lost race. Raises Unavailable."""
    if not batch:
        return ()
    for attempt in range(services.settings.apply_attempts):
        try:
            with services.ledger.attempt() as ledger:
                snapshot = ledger.snapshot(batch, hold=attempt > 0)
                decision = decide(batch, snapshot, services.clock())
                ledger.record(decision)
        except Conflict:
            sleep(jitter() * min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2**attempt))
        else:
            _log_applied(decision.outcomes, attempt)
            return decision.outcomes
    raise Unavailable("ledger", "lost every race for the batch's rows")


def _log_applied(outcomes: Sequence[Outcome], conflicts: int) -> None:
    """One line a batch: a line an order would cost more than the order."""
    known = sum(outcome.known for outcome in outcomes)
    kept = sum(outcome.kept for outcome in outcomes)
    log("batch-applied", orders=len(outcomes), kept=kept, known=known, conflicts=conflicts)


def _settle(services: Services, outcomes: Iterable[Outcome]) -> set[str]:
    """Settles the claims of decided orders, event by event. Returns the order ids that could not be."""
    events: dict[int, tuple[list[str], list[str]]] = {}
    for outcome in outcomes:
        kept, returned = events.setdefault(outcome.event_id, ([], []))
        (kept if outcome.kept else returned).append(outcome.order_id)
    unsettled: set[str] = set()
    for event_id, (kept, returned) in events.items():
        try:
            services.gate.settle(event_id, kept, returned)
        except Unavailable as error:
            log("claims-not-settled", "error", eventId=event_id, detail=error.detail)
            unsettled.update(kept, returned)
    return unsettled
