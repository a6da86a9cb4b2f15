"""Builds messages, SQS batches and the services that fulfilment needs, with a gate that only takes notes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.queries import QUERIES, Queries
from chalicelib.model import Event, EventDraft, Item, OrderPlaced, TicketTypeDraft
from chalicelib.order_ids import new_order_id
from chalicelib.services import Services
from chalicelib.settings import Settings
from tests.support.events import NOON, NOON_MS

_turn = count()


def a_draft(*capacities: int, **terms: Any) -> EventDraft:
    """An event with one ticket type a capacity, at 500, 600 and so on."""
    types = tuple(
        TicketTypeDraft(f"Type {number}", 400 + 100 * number, capacity)
        for number, capacity in enumerate(capacities, start=1)
    )
    fields: dict[str, Any] = {"name": "Concert", "description": "", "currency": "EUR"}
    return EventDraft(ticket_types=types, **(fields | terms))


def an_order(
    event: Event, quantity: int = 1, *, user: str | None = None, kind: int = 0, key: str | None = None
) -> OrderPlaced:
    """An accepted order for tickets of the event's ticket type number `kind`; by default of a new buyer."""
    ticket_type = event.ticket_types[kind]
    return an_order_of(event.id, (ticket_type.id, quantity), user=user, key=key)


def an_order_of(
    event_id: int, *lines: tuple[int, int], user: str | None = None, key: str | None = None
) -> OrderPlaced:
    """An accepted order with one item for each (ticket type id, quantity), 1 ms after the one before."""
    accepted_at_ms = NOON_MS + next(_turn)
    return OrderPlaced(
        schema=1,
        order_id=new_order_id(event_id, accepted_at_ms),
        event_id=event_id,
        user_id=f"buyer {accepted_at_ms}" if user is None else user,
        currency="EUR",
        items=tuple(Item(type_id, quantity, 500) for type_id, quantity in lines),
        accepted_at_ms=accepted_at_ms,
        idempotency_key=key,
        request_digest=None if key is None else f"{event_id} {lines}",
    )


def message_of(placed: OrderPlaced) -> str:
    """The body of the order's message."""
    return msgspec.json.encode(placed).decode()


def batch_of(*bodies: OrderPlaced | str) -> dict[str, Any]:
    """The SQS event that the function is handed; message ids are "m0", "m1" and so on."""
    texts = [body if isinstance(body, str) else message_of(body) for body in bodies]
    return {"Records": [{"messageId": f"m{place}", "body": text} for place, text in enumerate(texts)]}


def failures(answer: dict[str, Any]) -> list[str]:
    """The message ids that the function reported as failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def edited(statement: bytes, old: bytes, new: bytes) -> bytes:
    """A statement for a control: the one that ships with one part replaced, which must be there."""
    assert old in statement
    return statement.replace(old, new)


class NotingGate:
    """Settles nothing and notes everything; does not answer for the events in `down`."""

    def __init__(self, down: Collection[int] = ()) -> None:
        self.down = down
        self.kept: list[str] = []
        self.returned: list[str] = []

    def settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        """Notes the ids; raises Unavailable for an event that is down."""
        if event_id in self.down:
            raise Unavailable("gate", "down")
        self.kept += kept
        self.returned += returned
        return len(kept) + len(returned)


@contextmanager
def ledger_at(dsn: str, connections: int = 1, queries: Queries = QUERIES) -> Iterator[Ledger]:
    """A ledger whose connections are closed at the end."""
    pool = Connections(dsn, connections, timeout_ms=10_000)
    try:
        yield Ledger(pool, queries)
    finally:
        pool.close()


def services_with(
    ledger: Any, gate: Any = None, clock: Callable[[], datetime] = lambda: NOON, **settings: Any
) -> Services:
    """Services of which only the ledger and the gate work; the clock stands at noon."""
    services = Services(Settings(**settings), clock)
    services.__dict__.update(ledger=ledger, gate=gate or NotingGate())
    return services
