"""What an audit has seen of one event in the ledger, the gate and the queues. Plain values, no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from infra.rush.facts import ItemSeen


class TypeHeld(msgspec.Struct, frozen=True):
    """A ticket type's counters in the ledger."""

    id: int
    capacity: int
    sold: int
    reserved: int

    @property
    def unsold(self) -> int:
        """Tickets that the ledger could still give."""
        return self.capacity - self.sold - self.reserved


class OrderHeld(msgspec.Struct, frozen=True, kw_only=True):
    """An order's row in the ledger."""

    id: str
    user_id: str
    status: str
    items: tuple[ItemSeen, ...]
    total_price: int
    currency: str
    decided_at: datetime
    expires_at: datetime | None = None
    idempotency_key: str | None = None

    @property
    def quantity(self) -> int:
        """Tickets in the order."""
        return sum(item.quantity for item in self.items)


class PaymentHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A payment's row in the ledger; `order_id` is what the provider wrote."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: str
    state: str


class LedgerHeld(msgspec.Struct, frozen=True, kw_only=True):
    """All that the ledger has of the event at the moment `now`, by its own clock."""

    now: datetime
    max_per_buyer: int | None
    hold_seconds: int
    types: tuple[TypeHeld, ...]
    orders: tuple[OrderHeld, ...]
    tallies: Mapping[str, int]
    given_back: Mapping[str, int]
    payments: tuple[PaymentHeld, ...]


class ClaimHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A claim in the gate. `items` is None when nobody can read it; `queued_ms` when nobody waits for it."""

    order_id: str
    event_id: int | None
    items: tuple[ItemSeen, ...] | None
    queued_ms: int | None


class GateHeld(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gate has of the event at one moment, its own clock's `now_ms`.

    `stock` is None when the event is not loaded. `steady` means that nothing was settled since before the
    ledger was read: only then do the two views belong together.
    """

    now_ms: int
    stock: Mapping[int, int] | None
    claims: tuple[ClaimHeld, ...]
    waiting: frozenset[str]
    steady: bool


class QueueHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What lies on one queue: the event's orders, bodies that nobody can read, and what a worker holds."""

    order_ids: tuple[str, ...] = ()
    unreadable: int = 0
    in_flight: int = 0
    complete: bool = True


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, read in the order queues, ledger, gate. A queue is None while it was not looked at."""

    event_id: int
    ledger: LedgerHeld
    gate: GateHeld
    orders: QueueHeld | None = None
    dead_letters: QueueHeld | None = None

    def undecided(self) -> list[ClaimHeld]:
        """Claims whose order the ledger has not decided."""
        decided = {order.id for order in self.ledger.orders}
        return [claim for claim in self.gate.claims if claim.order_id not in decided]
