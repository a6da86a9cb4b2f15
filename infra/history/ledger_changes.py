"""The ledger's log, message by message, made into commits that a reader of a history understands. Pure.

It knows the ledger's tables by their migrations and nothing of the service's code. Rows are kept by key,
because a change names neither the status before it nor a large value that it left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from infra.history import pgoutput
from infra.history.lines import UNKNOWN, Change, Commit, OrderChange, PaymentChange, Removal, TypeChange
from infra.history.pgoutput import Unchanged

TABLES = {"orders": "id", "ticket_types": "id", "payments": "reference"}
"""Tables whose changes are witnessed, and the column that is each one's key."""

_Row = dict[str, str | None]


class LedgerChanges:
    """Assembles commits of `event_ids`; what other events did is left out."""

    def __init__(self) -> None:
        self._tables: dict[int, pgoutput.Relation] = {}
        self._rows: dict[tuple[str, str], _Row] = {}
        self._begun: pgoutput.Begin | None = None
        self._changes: list[tuple[int | None, Change]] = []
        self._last_lsn = 0

    def commits(self, messages: Iterable[bytes], event_ids: set[int]) -> Iterator[Commit]:
        """Yields those commits that changed something of these events, or removed anything.

        Raises NotUnderstood. May be called again with the messages that came since.
        """
        for data in messages:
            message = pgoutput.read(data)
            if isinstance(message, pgoutput.Begin):
                self._begun, self._changes = message, []
            elif isinstance(message, pgoutput.Commit):
                yield from self._committed(event_ids)
            elif message is not None:
                self._take(message)

    def _committed(self, event_ids: set[int]) -> Iterator[Commit]:
        begun = self._begun
        if begun is None or begun.lsn <= self._last_lsn:
            return  # PostgreSQL may hand the same commits out again after a crash of its own
        self._last_lsn = begun.lsn
        changes = tuple(change for event, change in self._changes if event is None or event in event_ids)
        if changes:
            yield Commit(lsn=_lsn(begun.lsn), at_ms=begun.at_ms, changes=changes)

    def _take(self, message: pgoutput.Message) -> None:
        if isinstance(message, pgoutput.Relation):
            self._tables[message.oid] = message
        elif isinstance(message, pgoutput.Insert):
            self._written(self._tables[message.oid], None, message.new)
        elif isinstance(message, pgoutput.Update):
            self._written(self._tables[message.oid], message.old or message.new, message.new)
        elif isinstance(message, pgoutput.Delete):
            self._removed(self._tables[message.oid], message.old)
        elif isinstance(message, pgoutput.Truncate):
            names = (self._tables[oid].name for oid in message.oids if oid in self._tables)
            self._changes += [(None, Removal(table=name)) for name in names]

    def _written(self, table: pgoutput.Relation, old: pgoutput.Row | None, new: pgoutput.Row) -> None:
        before = None if old is None else self._rows.pop(_key(table, old), {})
        row = {
            name: (before or {}).get(name) if isinstance(value, Unchanged) else value
            for name, value in zip(table.columns, new, strict=True)
        }
        self._rows[_key(table, new)] = row
        self._changes.append((self._event_of(table, row), _CHANGES[table.name](row, before)))

    def _removed(self, table: pgoutput.Relation, old: pgoutput.Row) -> None:
        key = _key(table, old)
        row = self._rows.pop(key, None)
        event_id = 0 if row is None else self._event_of(table, row)  # a row from before is none of ours
        self._changes.append((event_id, Removal(table=table.name, id=key[1])))

    def _event_of(self, table: pgoutput.Relation, row: _Row) -> int:
        """A payment is of its order's event; 0 is none, for one whose order the history does not know."""
        if table.name == "payments":
            row = self._rows.get(("orders", _text(row, "order_id")), {"event_id": None})
        return _number(row, "event_id")


def _order(row: _Row, before: Mapping[str, str | None] | None) -> OrderChange:
    expires_at = row["expires_at"]
    return OrderChange(
        id=_text(row, "id"),
        event_id=_number(row, "event_id"),
        user_id=_text(row, "user_id"),
        before=None if before is None else before.get("status") or UNKNOWN,
        status=_text(row, "status"),
        items=msgspec.Raw(_text(row, "items", "[]").encode()),
        quantity=_number(row, "quantity"),
        reason=row["reason"],
        idempotency_key=row["idempotency_key"],
        expires_at_ms=datetime.fromisoformat(expires_at).timestamp() * 1_000 if expires_at else None,
    )


def _type(row: _Row, _: Mapping[str, str | None] | None) -> TypeChange:
    names = ("id", "event_id", "capacity", "sold", "reserved")
    return TypeChange(**{name: _number(row, name) for name in names})


def _payment(row: _Row, _: Mapping[str, str | None] | None) -> PaymentChange:
    return PaymentChange(
        reference=_text(row, "reference"), order_id=_text(row, "order_id"), state=_text(row, "state")
    )


_CHANGES: Mapping[str, Callable[[_Row, Mapping[str, str | None] | None], Change]] = {
    "orders": _order,
    "ticket_types": _type,
    "payments": _payment,
}


def _key(table: pgoutput.Relation, row: pgoutput.Row) -> tuple[str, str]:
    return table.name, str(row[table.columns.index(TABLES[table.name])])


def _text(row: _Row, name: str, otherwise: str = "") -> str:
    value = row[name]
    return otherwise if value is None else value


def _number(row: _Row, name: str) -> int:
    return int(_text(row, name, "0"))


def _lsn(number: int) -> str:
    """As PostgreSQL writes it."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"
