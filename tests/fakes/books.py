"""The twin ledger's books: what it keeps, and the changes that are made whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from chalicelib.errors import Conflict
from chalicelib.model import (
    DeadLetter,
    Event,
    FailedAttempt,
    LoggedAction,
    Order,
    OrderStatus,
    Payment,
    TicketType,
)
from chalicelib.rules import (
    Change,
    Outcome,
    StockMove,
    Tally,
    sum_of,
)


class Books:
    """Events, orders, tallies, keys and payments in dictionaries, under one lock."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`clock` gives events their times."""
        self._clock = clock
        self._lock = threading.RLock()
        self._events: dict[int, Event] = {}
        self._orders: dict[str, Order] = {}
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._keys: dict[tuple[str, str], tuple[str, str | None]] = {}
        self._payments: dict[str, Payment] = {}
        self._failed: dict[str, DeadLetter] = {}
        self._ended: dict[str, datetime] = {}
        self._bodies: dict[str, str] = {}
        self._attempts: dict[str, list[FailedAttempt]] = {}
        self._actions: list[LoggedAction] = []
        self._last_type_id = 0

    def _record(self, outcome: Outcome, decided_at: datetime) -> None:
        self._orders[outcome.order_id] = _order(outcome, decided_at)
        if outcome.status is OrderStatus.CANCELLED:
            self._ended[outcome.order_id] = decided_at
        if (key := key_of(outcome)) is not None:
            self._keys.setdefault(key, (outcome.order_id, outcome.placed.request_digest))

    def _make(self, changes: Sequence[Change], now: datetime) -> None:
        stock, tallies = sum_of(changes)
        for each in changes:
            order = self._orders[each.order_id]
            kept = order.expires_at if each.after is OrderStatus.EXPIRED else None
            self._orders[each.order_id] = replace(order, status=each.after, expires_at=kept)
            self._ended.pop(each.order_id, None)
            if each.after in {OrderStatus.EXPIRED, OrderStatus.CANCELLED}:
                self._ended[each.order_id] = now
        for move in stock:
            self._move(move)
        for tally in tallies:
            has = self._tallies[tally.event_id, tally.user_id]
            self._tallies[tally.event_id, tally.user_id] = Tally(
                has.quantity + tally.quantity, has.version + 1, has.given_back + tally.given_back
            )

    def _move(self, move: StockMove) -> None:
        for event in self._events.values():
            types = tuple(
                _moved(kind, move) if kind.id == move.ticket_type_id else kind for kind in event.ticket_types
            )
            self._events[event.id] = replace(event, ticket_types=types)


def key_of(outcome: Outcome) -> tuple[str, str] | None:
    """The key that the order takes: the buyer's, or none."""
    key = outcome.idempotency_key
    return None if key is None else (outcome.placed.user_id, key)


def _moved(kind: TicketType, move: StockMove) -> TicketType:
    left = kind.unsold
    moved = replace(kind, sold=kind.sold + move.sold, reserved=kind.reserved + move.reserved)
    if moved.sold < 0 or moved.reserved < 0 or moved.unsold < 0:
        raise Conflict("ticket type: never oversold")
    return replace(moved, version=kind.version + (moved.unsold != left))


def _order(outcome: Outcome, decided_at: datetime) -> Order:
    placed = outcome.placed
    return Order(
        id=placed.order_id,
        event_id=placed.event_id,
        user_id=placed.user_id,
        items=placed.items,
        status=outcome.status,
        total_price=placed.total_price,
        currency=placed.currency,
        accepted_at=datetime.fromtimestamp(placed.accepted_at_ms / 1000, UTC),
        reason=outcome.reason,
        detail=outcome.detail,
        decided_at=decided_at,
        expires_at=outcome.expires_at,
    )
