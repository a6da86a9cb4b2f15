"""The ledger's twin in memory: same interface, same answers. The contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from chalicelib.errors import Conflict, Rejected
from chalicelib.model import (
    AuditRecord,
    Event,
    EventDraft,
    Order,
    OrderPlaced,
    OrderQuery,
    SalesState,
    Survey,
    TicketType,
)
from chalicelib.rules import (
    Decision,
    Lot,
    Recorded,
    Snapshot,
    StockMove,
    Tally,
)
from tests.fakes.audit_log import MemoryAuditLog
from tests.fakes.books import key_of
from tests.fakes.dead_letters import MemoryDeadLetters
from tests.fakes.ledger_life import MemoryLife
from tests.fakes.sales import MemorySales
from tests.fakes.traces import MemoryTraces

_SINGLE = frozenset(EventDraft.__struct_fields__) - {"ticket_types"}
_CHANGEABLE = _SINGLE - {"organiser_id"}


class MemoryLedger(MemoryLife, MemoryDeadLetters, MemoryTraces, MemorySales, MemoryAuditLog):
    """Keeps events, orders, tallies and payments in dictionaries; each change is made whole or not at all."""

    def create_event(self, draft: EventDraft) -> Event:
        """Records an event with its ticket types; both get ascending ids."""
        with self._lock:
            now = self._clock()
            terms = {name: getattr(draft, name) for name in _SINGLE}
            types = tuple(
                self._ticket_type(each.name, each.price, each.capacity) for each in draft.ticket_types
            )
            event_id = len(self._events) + 1
            event = Event(id=event_id, ticket_types=types, version=1, created_at=now, updated_at=now, **terms)
            self._events[event_id] = event
            return event

    def event(self, event_id: int) -> Event:
        """Reads one event. Raises Rejected("event-not-found")."""
        event = self._events.get(event_id)
        if event is None:
            raise Rejected("event-not-found", f"There is no event {event_id}.", eventId=event_id)
        return event

    def events(self, after: int, limit: int) -> list[Event]:
        """Lists at most `limit` events with ids greater than `after`, ascending."""
        return [event for event_id, event in sorted(self._events.items()) if event_id > after][:limit]

    def update_event(self, event_id: int, version: int | None, changes: Mapping[str, object]) -> Event:
        """Changes an event that has this version; None means whatever version it has."""
        if unknown := set(changes) - _CHANGEABLE:
            raise ValueError(f"not to be changed: {sorted(unknown)}")
        with self._lock:
            event = self.event(event_id)
            if version not in (None, event.version):
                raise Rejected(
                    "precondition-failed", "The event was changed meanwhile.", version=event.version
                )
            return self._edit(event, **changes)

    def switch(self, event_id: int, state: SalesState, record: AuditRecord | None = None) -> Event:
        """Turns the sale on, off or off for good, and takes down who did."""
        with self._lock:
            event = self.event(event_id)
            if event.sales_state is state:
                return event
            if event.sales_state is SalesState.CLOSED:
                raise Rejected("sale-closed", "The sale is closed for good.", eventId=event_id)
            if record is not None:
                self.record_action(record)
            return self._edit(event, sales_state=state)

    def survey(self, event_id: int, order_ids: Iterable[str]) -> Survey:
        """Tells an event's counters and which of these orders are decided."""
        with self._lock:
            types = self.event(event_id).ticket_types
            return Survey(ticket_types=types, decided=frozenset(order_ids) & frozenset(self._orders))

    def order(self, order_id: str) -> Order | None:
        """Finds a decided order."""
        return self._orders.get(order_id)

    def orders(self, query: OrderQuery) -> list[Order]:
        """Lists decided orders, newest first."""
        newest_first = sorted(self._orders.values(), key=lambda order: order.id, reverse=True)
        return [order for order in newest_first if _matches(order, query)][: query.limit]

    def order_by_key(self, user_id: str, key: str) -> tuple[Order, str | None] | None:
        """Finds the order that has the key, and its request digest."""
        with self._lock:
            order_id, digest = self._keys.get((user_id, key), ("", None))
            return (self._orders[order_id], digest) if order_id else None

    def ping(self) -> None:
        """Always there."""

    @contextmanager
    def attempt(self) -> Iterator[MemoryAttempt]:
        """Opens one attempt to apply a batch; nothing is kept unless the block ends well."""
        attempt = MemoryAttempt(self._snapshot)
        yield attempt
        with self._lock:
            for decision in attempt.recorded:
                self._commit(decision)

    def _ticket_type(self, name: str, price: int, capacity: int) -> TicketType:
        self._last_type_id += 1
        return TicketType(self._last_type_id, name, price, capacity)

    def _edit(self, event: Event, **changes: object) -> Event:
        counted = {"version": event.version + 1, "updated_at": self._clock()}
        self._events[event.id] = replace(event, **changes, **counted)
        return self._events[event.id]

    def _snapshot(
        self,
        batch: Sequence[OrderPlaced],
        *,
        hold: bool = False,  # noqa: ARG002 - one lock holds all
        keyed: bool = False,  # noqa: ARG002 - it always knows
    ) -> Snapshot:
        with self._lock:
            events = [
                self._events[id_] for id_ in {placed.event_id for placed in batch} if id_ in self._events
            ]
            ids = {placed.order_id for placed in batch} & set(self._orders)
            buyers = {(placed.event_id, placed.user_id) for placed in batch} & set(self._tallies)
            keys = {(placed.user_id, placed.idempotency_key or "") for placed in batch} & set(self._keys)
            return Snapshot(
                lots={
                    kind.id: Lot(event.id, kind.unsold, kind.version)
                    for event in events
                    for kind in event.ticket_types
                },
                buyer_limits={event.id: event.max_per_buyer for event in events},
                hold_seconds={event.id: event.hold_seconds for event in events if event.hold_seconds},
                cancellation_limits={
                    event.id: event.max_cancellations
                    for event in events
                    if event.max_cancellations is not None
                },
                tallies={buyer: self._tallies[buyer] for buyer in buyers},
                recorded={id_: Recorded(self._orders[id_].status, self._orders[id_].reason) for id_ in ids},
                keys={key: self._keys[key][0] for key in keys},
            )

    def _commit(self, decision: Decision) -> None:
        """Checks every version first, so that a lost race leaves nothing behind."""
        fresh = [outcome for outcome in decision.outcomes if not outcome.known]
        types = {kind.id: kind for event in self._events.values() for kind in event.ticket_types}
        if any(types[sale.ticket_type_id].version != sale.version for sale in decision.sales):
            raise Conflict("ticket type: not as read")
        if any(outcome.order_id in self._orders or key_of(outcome) in self._keys for outcome in fresh):
            raise Conflict("order: not as read")
        nothing = Tally(0, 0)
        for tally in decision.tallies:
            if self._tallies.get((tally.event_id, tally.user_id), nothing).version != tally.version:
                raise Conflict("tally: not as read")
        for sale in decision.sales:
            sold, reserved = (0, sale.quantity) if sale.held else (sale.quantity, 0)
            self._move(StockMove(sale.ticket_type_id, sold, reserved))
        for tally in decision.tallies:
            before = self._tallies.get((tally.event_id, tally.user_id), nothing)
            self._tallies[tally.event_id, tally.user_id] = Tally(
                tally.quantity, tally.version + 1, before.given_back
            )
        for outcome in fresh:
            self._record(outcome, decision.decided_at)


class MemoryAttempt:
    """One try: what it records is kept when the ledger commits."""

    def __init__(self, snapshot: Callable[..., Snapshot]) -> None:
        """`snapshot` reads the ledger."""
        self.snapshot = snapshot
        self.recorded: list[Decision] = []

    def record(self, decision: Decision) -> None:
        """Takes the decision down; a race that it lost shows at the commit."""
        self.recorded.append(decision)


def _matches(order: Order, query: OrderQuery) -> bool:
    return (
        query.event_id in (None, order.event_id)
        and query.user_id in (None, order.user_id)
        and query.status in (None, order.status)
        and (query.before is None or order.id < query.before)
    )
