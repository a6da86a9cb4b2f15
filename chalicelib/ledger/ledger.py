"""The ledger's door: events and orders in PostgreSQL, and the attempt that applies a batch.

It knows statements by their names (queries.sql) and no rule of sale (rules.py). Every read goes to the
writer: what it answers may decide a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import psycopg

from chalicelib.errors import Rejected
from chalicelib.ledger.attempt import Attempt
from chalicelib.ledger.connections import Connections, answering
from chalicelib.ledger.queries import QUERIES, Queries
from chalicelib.ledger.rows import event_of_row, order_of_row
from chalicelib.model import Event, EventDraft, Order, OrderQuery

CHANGEABLE = frozenset(EventDraft.__struct_fields__) - {"ticket_types"}
"""What `update_event` may change."""


class Ledger:
    """The truth. Every method may raise Unavailable("ledger"); all are safe to share between threads."""

    def __init__(self, connections: Connections, queries: Queries = QUERIES) -> None:
        """`queries` other than the shipped ones serve tests that show an unsafe statement to be noticed."""
        self._connections = connections
        self._queries = queries

    def create_event(self, draft: EventDraft) -> Event:
        """Records an event with its ticket types, in the order given; names must differ."""
        arguments = {name: getattr(draft, name) for name in CHANGEABLE}
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

    def order(self, order_id: str) -> Order | None:
        """Finds a decided order by its id (a UUID in text form); None when the ledger has no answer yet."""
        found = self._orders(OrderQuery(limit=1), order_id)
        return found[0] if found else None

    def orders(self, query: OrderQuery) -> list[Order]:
        """Lists decided orders, newest first."""
        return self._orders(query, None)

    def ping(self) -> None:
        """Raises Unavailable unless the database answers."""
        self._rows(self._queries.ping, {})

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Opens one transaction to apply a batch in; commits on leaving, rolls back on any error.

        Raises Conflict when another transaction was faster. Unavailable is ambiguous when the connection
        broke during COMMIT: the batch may be applied, and applying it again changes nothing.
        """
        with self._connections.lease() as connection:
            try:
                with answering():
                    connection.execute(self._queries.begin)
                    yield Attempt(connection, self._queries)
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute(self._queries.rollback)
                raise
            with answering(ambiguous=True):
                connection.execute(self._queries.commit)

    def _orders(self, query: OrderQuery, order_id: str | None) -> list[Order]:
        arguments = {
            "id": order_id,
            "event_id": query.event_id,
            "user_id": query.user_id,
            "status": None if query.status is None else query.status.value,
            "before": query.before,
            "lim": query.limit,
        }
        return [order_of_row(row) for row in self._rows(self._queries.read_orders, arguments)]

    def _rows(self, statement: bytes, arguments: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with self._connections.lease() as connection, answering():
            return connection.execute(statement, arguments).fetchall()
