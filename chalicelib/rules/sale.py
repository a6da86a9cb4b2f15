"""Who gets what: decides a batch of orders against what the ledger says. Pure.

The same batch, snapshot and time give the same decision. It knows no SQL and no queue; `ledger` takes
the snapshot and records the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from chalicelib.model import OrderPlaced, OrderStatus
from chalicelib.rules.life import wanted_by_type

LIMIT = "buyer-limit-exceeded"
KEY_REUSED = "idempotency-key-reused"
"""Why an order is rejected whose key another order of the same buyer has."""

GAVE_BACK = "The buyer has given back as many orders of this event as one buyer may."
"""Why `buyer-limit-exceeded`, when it is not for the tickets that the buyer has."""

_KEPT = frozenset({OrderStatus.CONFIRMED, OrderStatus.RESERVED})


class Lot(msgspec.Struct, frozen=True):
    """The tickets of one type that the ledger has not sold, and the version at which that was so."""

    event_id: int
    unsold: int
    version: int


class Tally(msgspec.Struct, frozen=True):
    """Tickets that a buyer has of an event, and orders given back: cancelled, or left to expire.

    Version 0 means that the ledger has no such row.
    """

    quantity: int
    version: int
    given_back: int = 0


_NOTHING = Tally(0, 0)


class Recorded(msgspec.Struct, frozen=True):
    """The answer that an order has got before."""

    status: OrderStatus
    reason: str | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about the events, ticket types, buyers and orders of one batch."""

    lots: Mapping[int, Lot]
    """By ticket type id: every ticket type of the batch's events."""
    buyer_limits: Mapping[int, int | None]
    """By event id: most tickets a buyer may have. An event that is not here does not exist."""
    hold_seconds: Mapping[int, int]
    """By event id: how long an order is held for its payment; 0 or not here: none is asked for."""
    cancellation_limits: Mapping[int, int]
    """By event id: orders given back after which a buyer gets no more; not here: no limit."""
    tallies: Mapping[tuple[int, str], Tally]
    """By event and user id; a buyer who is not here has nothing yet."""
    recorded: Mapping[str, Recorded]
    """By order id: the orders of the batch that were decided before."""
    keys: Mapping[tuple[str, str], str]
    """By user id and idempotency key: the order that has the key."""


class Outcome(msgspec.Struct, frozen=True):
    """The answer to one order. `known` means that it was recorded before and must not be again."""

    order_id: str
    event_id: int
    status: OrderStatus
    reason: str | None
    placed: OrderPlaced
    known: bool
    expires_at: datetime | None = None
    detail: str | None = None

    @property
    def idempotency_key(self) -> str | None:
        """The key to record with the order: none for an order whose key is another's."""
        return None if self.reason == KEY_REUSED else self.placed.idempotency_key

    @property
    def kept(self) -> bool:
        """Whether the order has its tickets; otherwise its claim goes back on sale."""
        return self.status in _KEPT


class Sale(msgspec.Struct, frozen=True):
    """So many more tickets of a type are sold, or held for payment, if the type still has this version."""

    ticket_type_id: int
    quantity: int
    version: int
    held: bool = False


class BuyerTally(msgspec.Struct, frozen=True):
    """A buyer now has `quantity` tickets in all, if the tally still has this version (0: no row)."""

    event_id: int
    user_id: str
    quantity: int
    version: int


class Decision(msgspec.Struct, frozen=True):
    """The answers, one for each order id, and the changes that make them true: all of them or none."""

    outcomes: tuple[Outcome, ...]
    sales: tuple[Sale, ...]
    tallies: tuple[BuyerTally, ...]
    decided_at: datetime


def decide(batch: Sequence[OrderPlaced], snapshot: Snapshot, now: datetime) -> Decision:
    """Answers every order of the batch, each id once, first come first served.

    `batch` may hold an order several times and in any order; quantities are positive. `now` becomes the
    orders' time of decision, and their hold runs from it. An order gets everything it asks for or nothing;
    one with a recorded answer gets that answer again. Whoever was accepted earlier is served first, then
    the smaller order id; the first order with an idempotency key has it, whatever its answer.
    """
    counter = _Counter(snapshot, now)
    outcomes = tuple(counter.answer(placed) for placed in _in_turn(batch))
    return Decision(outcomes, counter.sales(), counter.tallies(), now)


def _in_turn(batch: Sequence[OrderPlaced]) -> Iterable[OrderPlaced]:
    first: dict[str, OrderPlaced] = {}
    for placed in sorted(batch, key=lambda placed: (placed.accepted_at_ms, placed.order_id)):
        first.setdefault(placed.order_id, placed)
    return first.values()


class _Counter:
    """Serves one order after the other, and keeps count of what it gives away."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self._snapshot = snapshot
        self._now = now
        self._sold: dict[int, int] = {}
        self._bought: dict[tuple[int, str], int] = {}
        self._keys: set[tuple[str, str]] = set()

    def answer(self, placed: OrderPlaced) -> Outcome:
        order_id, event_id = placed.order_id, placed.event_id
        recorded = self._snapshot.recorded.get(order_id)
        if recorded is not None:
            return Outcome(order_id, event_id, recorded.status, recorded.reason, placed, True)
        wanted = wanted_by_type(placed.items)
        reason = KEY_REUSED if self._key_is_taken(placed) else self._refusal(placed, wanted)
        if reason is not None:
            detail = GAVE_BACK if reason == LIMIT and self._gave_back_too_much(placed) else None
            return Outcome(order_id, event_id, OrderStatus.REJECTED, reason, placed, False, detail=detail)
        self._give(placed, wanted)
        hold_seconds = self._snapshot.hold_seconds.get(event_id, 0)
        if not hold_seconds:
            return Outcome(order_id, event_id, OrderStatus.CONFIRMED, None, placed, False)
        expires_at = self._now + timedelta(seconds=hold_seconds)
        return Outcome(order_id, event_id, OrderStatus.RESERVED, None, placed, False, expires_at)

    def _key_is_taken(self, placed: OrderPlaced) -> bool:
        """Looks the order's key up, and takes it when it is free."""
        if placed.idempotency_key is None:
            return False
        key = (placed.user_id, placed.idempotency_key)
        if key in self._snapshot.keys or key in self._keys:
            return True
        self._keys.add(key)
        return False

    def _refusal(self, placed: OrderPlaced, wanted: Mapping[int, int]) -> str | None:
        event_id = placed.event_id
        if event_id not in self._snapshot.buyer_limits:
            return "event-not-found"
        lots = self._snapshot.lots
        short: list[int] = []
        for type_id, quantity in wanted.items():
            lot = lots.get(type_id)
            if lot is None or lot.event_id != event_id:
                return "ticket-type-not-found"
            left = lot.unsold - self._sold.get(type_id, 0)
            if left < quantity:
                short.append(left)
        if short:
            return "sold-out" if min(short) <= 0 else "not-enough-tickets"
        return self._over_limit(placed, sum(wanted.values()))

    def _over_limit(self, placed: OrderPlaced, tickets: int) -> str | None:
        if self._gave_back_too_much(placed):
            return LIMIT
        limit = self._snapshot.buyer_limits[placed.event_id]
        buyer = (placed.event_id, placed.user_id)
        has = self._bought.get(buyer, 0) + self._snapshot.tallies.get(buyer, _NOTHING).quantity
        return LIMIT if limit is not None and has + tickets > limit else None

    def _gave_back_too_much(self, placed: OrderPlaced) -> bool:
        most = self._snapshot.cancellation_limits.get(placed.event_id)
        before = self._snapshot.tallies.get((placed.event_id, placed.user_id), _NOTHING)
        return most is not None and before.given_back >= most

    def _give(self, placed: OrderPlaced, wanted: Mapping[int, int]) -> None:
        for type_id, quantity in wanted.items():
            self._sold[type_id] = self._sold.get(type_id, 0) + quantity
        buyer = (placed.event_id, placed.user_id)
        self._bought[buyer] = self._bought.get(buyer, 0) + sum(wanted.values())

    def sales(self) -> tuple[Sale, ...]:
        lots, holds = self._snapshot.lots, self._snapshot.hold_seconds
        return tuple(
            Sale(type_id, sold, lots[type_id].version, holds.get(lots[type_id].event_id, 0) > 0)
            for type_id, sold in self._sold.items()
        )

    def tallies(self) -> tuple[BuyerTally, ...]:
        before = self._snapshot.tallies
        return tuple(
            BuyerTally(
                *buyer, before.get(buyer, _NOTHING).quantity + bought, before.get(buyer, _NOTHING).version
            )
            for buyer, bought in self._bought.items()
        )
