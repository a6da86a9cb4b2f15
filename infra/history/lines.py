"""The lines of a history: one JSON object each, told apart by `kind`. Shapes only; no file, no judgement.

A name that ends in `_ms` is milliseconds since the Unix epoch by the clock of the machine that the whole
run was on (or, where it says so, a span of milliseconds).
"""

from __future__ import annotations

import msgspec

SCHEMA = 1
"""Version of these shapes; a reader refuses one that it does not know."""
TOLERANCE_MS = 1_000.0
"""A commit has its time before it is on disk and before anybody can read it; a busy disk takes this long."""
SETTLE_MS = 40_000.0
"""An order reads as pending until its claim is settled: one visibility timeout (30 s locally) and some more
after the COMMIT when the worker died in between."""
UNKNOWN = "unknown"
"""The earlier status of an order that was written before the history began."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="kind", omit_defaults=True):
    """What all of them share: camelCase, and nothing written that says nothing."""


class Run(_Line, frozen=True, kw_only=True, tag="run"):
    """The first line: what was played, where, and how exactly its times may be taken (two spans)."""

    schema: int
    what: str
    url: str
    started_at_ms: float
    tolerance_ms: float
    settle_ms: float


class TypeAsked(msgspec.Struct, frozen=True, rename="camel"):
    """A ticket type as its organiser asked for it."""

    id: int
    capacity: int


class Event(_Line, frozen=True, kw_only=True, tag="event"):
    """An event that the history is about, by its organiser's terms; others' changes are not in it."""

    id: int
    ticket_types: tuple[TypeAsked, ...]
    max_per_buyer: int | None = None
    max_per_order: int | None = None
    hold_seconds: int = 0


class Wanted(msgspec.Struct, frozen=True, rename="camel"):
    """So many tickets of one type; None is the event's only type."""

    ticket_type_id: int | None
    quantity: int


class Request(_Line, frozen=True, kw_only=True, tag="request"):
    """Something was asked. Method SEND is a message that a test put on the queue itself, past the door.

    `order_id` is the order that the request is about, where it names one.
    """

    number: int
    at_ms: float
    method: str
    path: str
    event_id: int | None = None
    user_id: str | None = None
    items: tuple[Wanted, ...] = ()
    idempotency_key: str | None = None
    order_id: str | None = None

    @property
    def buys(self) -> bool:
        """Whether it may make an order."""
        return self.event_id is not None and self.method in {"POST", "SEND"}

    @property
    def quantity(self) -> int:
        """Tickets asked for."""
        return sum(item.quantity for item in self.items)


class Answer(_Line, frozen=True, kw_only=True, tag="answer"):
    """What came back for request `number`; a request without one was cut off, or never had any."""

    number: int
    at_ms: float
    status: int
    order_id: str | None = None
    order_status: str | None = None
    code: str | None = None
    replayed: bool = False


class OrderChange(_Line, frozen=True, kw_only=True, tag="order"):
    """An order's row was inserted (`before` is None) or changed. `items` is the column, word for word."""

    id: str
    event_id: int
    user_id: str
    before: str | None
    status: str
    items: msgspec.Raw
    quantity: int
    reason: str | None = None
    idempotency_key: str | None = None
    expires_at_ms: float | None = None


class TypeChange(_Line, frozen=True, kw_only=True, tag="ticketType"):
    """A ticket type's row as the commit left it."""

    id: int
    event_id: int
    capacity: int
    sold: int
    reserved: int


class PaymentChange(_Line, frozen=True, kw_only=True, tag="payment"):
    """A payment's row as the commit left it; `state` is what became of it."""

    reference: str
    order_id: str
    state: str


class Removal(_Line, frozen=True, kw_only=True, tag="removal"):
    """A row was deleted; without `id`, the whole table was emptied."""

    table: str
    id: str | None = None


Change = OrderChange | TypeChange | PaymentChange | Removal


class Commit(_Line, frozen=True, kw_only=True, tag="commit"):
    """One transaction of the ledger, and its place in PostgreSQL's log; the file has them in order."""

    lsn: str
    at_ms: float
    changes: tuple[Change, ...]


class Left(msgspec.Struct, frozen=True, rename="camel"):
    """Tickets of one type that the service says are left."""

    ticket_type_id: int
    available: int


class End(_Line, frozen=True, kw_only=True, tag="end"):
    """The last line: what the service says is left, and whether every answer was waited for.

    `without_ledger` says why the ledger's changes are missing, or are not all there.
    """

    at_ms: float
    left: tuple[Left, ...] | None = None
    awaited: bool = False
    without_ledger: str | None = None


Line = Run | Event | Request | Answer | Commit | End

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Line).decode
