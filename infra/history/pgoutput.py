"""PostgreSQL's logical replication messages, protocol version 1: bytes in, values out. Pure.

After "Logical Replication Message Formats" in PostgreSQL's manual. It knows no table and no connection;
values stay the text that PostgreSQL writes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

EPOCH_2000_MS = 946_684_800_000.0
"""PostgreSQL counts from 2000-01-01, in microseconds."""


class Unchanged(Enum):
    """A large value that an UPDATE left alone: it is not in the message."""

    UNCHANGED = "u"


Value = str | Unchanged | None
Row = tuple[Value, ...]


class Begin(NamedTuple):
    """A transaction that is committed at `lsn`; its changes follow."""

    lsn: int
    at_ms: float


class Commit(NamedTuple):
    """The end of a transaction."""

    lsn: int


class Relation(NamedTuple):
    """What the rows of table `oid` look like from here on."""

    oid: int
    name: str
    columns: tuple[str, ...]


class Insert(NamedTuple):
    """A new row."""

    oid: int
    new: Row


class Update(NamedTuple):
    """A changed row; `old` is there when its key changed, and has the key alone."""

    oid: int
    old: Row | None
    new: Row


class Delete(NamedTuple):
    """A row that is gone; of `old` the key alone is there."""

    oid: int
    old: Row


class Truncate(NamedTuple):
    """Tables that were emptied."""

    oids: tuple[int, ...]


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate


class NotUnderstood(ValueError):
    """Bytes that are no message of this protocol."""


def read(data: bytes) -> Message | None:
    """Reads one message; None for those that change no row (origins, types). Raises NotUnderstood."""
    try:
        return _READERS[data[:1]](_Cursor(data, 1))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise NotUnderstood(f"no replication message: {data[:40]!r} ({error})") from error


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def number(self, form: str) -> int:
        value: int = struct.unpack_from(form, self._data, self._at)[0]
        self._at += struct.calcsize(form)
        return value

    def text(self) -> str:
        end = self._data.index(b"\0", self._at)
        text = self._data[self._at : end].decode()
        self._at = end + 1
        return text

    def letter(self) -> bytes:
        self._at += 1
        return self._data[self._at - 1 : self._at]

    def row(self) -> Row:
        return tuple(self._value() for _ in range(self.number(">h")))

    def _value(self) -> Value:
        form = self.letter()
        if form == b"n":
            return None
        if form == b"u":
            return Unchanged.UNCHANGED
        if form != b"t":
            raise ValueError(f"a value in format {form!r}")
        size = self.number(">i")
        raw = self._data[self._at : self._at + size]
        if len(raw) != size:
            raise ValueError("the message ends inside a value")
        self._at += size
        return raw.decode()


def _begin(cursor: _Cursor) -> Begin:
    return Begin(cursor.number(">Q"), EPOCH_2000_MS + cursor.number(">q") / 1_000)


def _commit(cursor: _Cursor) -> Commit:
    cursor.letter()  # flags, unused
    return Commit(cursor.number(">Q"))


def _relation(cursor: _Cursor) -> Relation:
    oid, _, name = cursor.number(">I"), cursor.text(), cursor.text()
    cursor.letter()  # replica identity
    return Relation(oid, name, tuple(_column(cursor) for _ in range(cursor.number(">h"))))


def _column(cursor: _Cursor) -> str:
    cursor.letter()  # whether it is of the key
    name = cursor.text()
    cursor.number(">I"), cursor.number(">i")  # type and its modifier
    return name


def _insert(cursor: _Cursor) -> Insert:
    oid = cursor.number(">I")
    _expect(cursor.letter(), b"N")
    return Insert(oid, cursor.row())


def _update(cursor: _Cursor) -> Update:
    oid, part = cursor.number(">I"), cursor.letter()
    old = None
    if part in {b"K", b"O"}:
        old, part = cursor.row(), cursor.letter()
    _expect(part, b"N")
    return Update(oid, old, cursor.row())


def _delete(cursor: _Cursor) -> Delete:
    oid, part = cursor.number(">I"), cursor.letter()
    if part not in {b"K", b"O"}:
        raise ValueError(f"a deleted row marked {part!r}")
    return Delete(oid, cursor.row())


def _truncate(cursor: _Cursor) -> Truncate:
    count = cursor.number(">I")
    cursor.letter()  # CASCADE, RESTART IDENTITY
    return Truncate(tuple(cursor.number(">I") for _ in range(count)))


def _expect(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        raise ValueError(f"{wanted!r} expected, {found!r} found")


_READERS: Mapping[bytes, Callable[[_Cursor], Message | None]] = {
    b"B": _begin,
    b"C": _commit,
    b"R": _relation,
    b"I": _insert,
    b"U": _update,
    b"D": _delete,
    b"T": _truncate,
    b"O": lambda _: None,
    b"Y": lambda _: None,
    b"M": lambda _: None,
}
