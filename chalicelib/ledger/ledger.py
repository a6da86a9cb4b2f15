"""The ledger's door: events in PostgreSQL, and the attempt that applies a batch.

It knows statements by their names (queries.sql) and no rule of sale (rules). Orders, their life and their
payments are the modules beside it. Every read goes to the writer: what it answers may decide a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from chalicelib.errors import Rejected
from chalicelib.ledger.arrays import plain
from chalicelib.ledger.attempt import Attempt
from chalicelib.ledger.audit_log import AuditLog, row_of
from chalicelib.ledger.dead_letters import DeadLetters
from chalicelib.ledger.lifecycle import Lifecycle
from chalicelib.ledger.payments import Payments
from chalicelib.ledger.rows import event_of_row, ticket_types_of
from chalicelib.ledger.sales import SalesFigures
from chalicelib.ledger.traces import Traces
from chalicelib.model import AuditRecord, Event, EventDraft, SalesState, Survey

_SINGLE = frozenset(EventDraft.__struct_fields__) - {"ticket_types"}
CHANGEABLE = _SINGLE - {"organiser_id"}
"""What `update_event` may change."""


class Ledger(Lifecycle, Payments, DeadLetters, Traces, SalesFigures, AuditLog):
    """The truth. Every method may raise Unavailable("ledger"); all are safe to share between threads."""

    def create_event(self, draft: EventDraft) -> Event:
        """Records an event with its ticket types, in the order given; names must differ."""
        arguments = {name: getattr(draft, name) for name in _SINGLE}
        arguments["names"] = [ticket_type.name for ticket_type in draft.ticket_types]
        arguments["prices"] = [ticket_type.price for ticket_type in draft.ticket_types]
        arguments["capacities"] = [ticket_type.capacity for ticket_type in draft.ticket_types]
        (row,) = self._rows(self._queries.create_event, arguments)
        return event_of_row(row)

    def event(self, event_id: int) -> Event:
        """Reads one event. Raises Rejected("event-not-found")."""
        rows = self._rows(self._queries.read_events, {"id": event_id, "after": 0, "lim": 1})
        if not rows:
            raise Rejected("event-not-found", f"There is no event {event_id}.", eventId=event_id)
        return event_of_row(rows[0])

    def events(self, after: int, limit: int) -> list[Event]:
        """Lists at most `limit` events with ids greater than `after`, ascending."""
        rows = self._rows(self._queries.read_events, {"id": None, "after": after, "lim": limit})
        return [event_of_row(row) for row in rows]

    def update_event(self, event_id: int, version: int | None, changes: Mapping[str, object]) -> Event:
        """Changes attributes of an event that has this version; None means whatever version it has.

        `changes` maps names of CHANGEABLE to new values, None for "no limit". Returns the event as changed.
        Raises Rejected("event-not-found"), or Rejected("precondition-failed") when the version is another.
        """
        if unknown := set(changes) - CHANGEABLE:
            raise ValueError(f"not to be changed: {sorted(unknown)}")
        encoded = msgspec.json.encode(dict(changes)).decode()
        arguments = {"id": event_id, "expected": version, "changes": encoded}
        if rows := self._rows(self._queries.update_event, arguments):
            return event_of_row(rows[0])
        current = self.event(event_id).version
        raise Rejected("precondition-failed", "The event was changed meanwhile.", version=current)

    def switch(self, event_id: int, state: SalesState, record: AuditRecord | None = None) -> Event:
        """Turns the sale of an event on, off or off for good; counts a version unless it was so already.

        `record` says who did it, and is written in the same transaction: not when it was so already.
        Raises Rejected("event-not-found"), or Rejected("sale-closed") when it was closed and is not to be.
        """
        with self._transaction() as connection:
            arguments = {"id": event_id, "state": state.value}
            rows = connection.execute(self._queries.switch_event, arguments).fetchall()
            if rows and record is not None:
                connection.execute(self._queries.record_action, row_of(record))
        if rows:
            return event_of_row(rows[0])
        event = self.event(event_id)
        if event.sales_state is not state:
            raise Rejected("sale-closed", "The sale is closed for good.", eventId=event_id)
        return event

    def survey(self, event_id: int, order_ids: Iterable[str]) -> Survey:
        """Tells, as of one moment, an event's counters and which of these orders are decided.

        `order_ids` are UUIDs in text form, to 10,000. Raises Rejected("event-not-found").
        """
        arguments = {"id": event_id, "order_ids": plain(order_ids)}
        ((ticket_types, decided),) = self._rows(self._queries.survey, arguments)
        if ticket_types is None:
            raise Rejected("event-not-found", f"There is no event {event_id}.", eventId=event_id)
        return Survey(ticket_types=ticket_types_of(ticket_types), decided=frozenset(decided))

    def ping(self) -> None:
        """Raises Unavailable unless the database answers."""
        self._rows(self._queries.ping, {})

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Opens one transaction to apply a batch in; commits on leaving, rolls back on any error.

        Raises Conflict when another transaction was faster. Unavailable is ambiguous when the connection
        broke during COMMIT: the batch may be applied, and applying it again changes nothing.
        """
        with self._transaction() as connection:
            yield Attempt(connection, self._queries)
