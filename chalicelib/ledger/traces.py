"""Reading what there is of orders by anything they are known by, and all that happened to one.

Its reads are bounded, whatever the text and however full the tables. It knows no gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.ledger.arrays import plain
from chalicelib.ledger.rows import order_of_row
from chalicelib.ledger.store import Store
from chalicelib.model import FailedAttempt, Order, Payment
from chalicelib.traces import Candidate, Letter, Matched, Trace

MOST = 200
"""Letters, failures or payments of one order in its trace. A message is poison after five failures."""

_letters = msgspec.json.Decoder(tuple[Letter, ...]).decode
_attempts = msgspec.json.Decoder(tuple[FailedAttempt, ...]).decode
_payments = msgspec.json.Decoder(tuple[Payment, ...]).decode


class Traces(Store):
    """What an operator searches."""

    def candidates(self, text: str, limit: int) -> list[Candidate]:
        """Lists orders whose buyer, idempotency key or failed message has this very name.

        At most `limit` of each of: a buyer's orders, newest first; a buyer's failed messages; a key's orders.
        `text` may be anything without NUL and lone surrogates.
        """
        rows = self._rows(self._queries.find_candidates, {"text": text, "lim": limit})
        return [Candidate(order_id, event_id, Matched(matched)) for order_id, event_id, matched in rows]

    def orders_by_id(self, order_ids: Iterable[str]) -> list[Order]:
        """Reads those of these orders that are decided, in no order. The ids are UUIDs in text form."""
        rows = self._rows(self._queries.read_orders_by_id, {"ids": plain(order_ids)})
        return [order_of_row(row) for row in rows]

    def letters(self, order_ids: Iterable[str], message_id: str, limit: int) -> list[Letter]:
        """Lists the failed messages of these orders, and the one with this id, the last failure first."""
        arguments = {"ids": plain(order_ids), "message_id": message_id, "lim": limit}
        rows = self._rows(self._queries.read_letters, arguments)
        return [_in_utc(Letter(**dict(zip(Letter.__struct_fields__, row, strict=True)))) for row in rows]

    def trace(self, order_id: str) -> Trace:
        """Reads all that the ledger knows of an order (a UUID in text form), as of one moment."""
        (row,) = self._rows(self._queries.read_trace, {"id": order_id, "lim": MOST})
        ended_at, hold_seconds, letters, attempts, payments = row[12:]
        return Trace(
            order=None if row[0] is None else order_of_row(row),
            ended_at=None if ended_at is None else ended_at.astimezone(UTC),
            hold_seconds=hold_seconds or 0,
            letters=tuple(map(_in_utc, _letters(letters or "[]"))),
            attempts=tuple(map(_in_utc, _attempts(attempts or "[]"))),
            payments=tuple(map(_in_utc, _payments(payments or "[]"))),
        )


def _in_utc(read: Any) -> Any:
    """The same structure with its times in UTC, whatever the session's time zone."""
    fields = {name: getattr(read, name) for name in read.__struct_fields__}
    times = {name: value for name, value in fields.items() if isinstance(value, datetime)}
    return replace(read, **{name: value.astimezone(UTC) for name, value in times.items()})
