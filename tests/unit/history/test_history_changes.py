"""Replication messages, byte by byte, and what the ledger's changes are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec
import pytest

from infra.history.ledger_changes import LedgerChanges
from infra.history.lines import Commit, OrderChange, PaymentChange, Removal, TypeChange
from infra.history.pgoutput import Begin, Delete, Insert, NotUnderstood, Unchanged, Update, read

ORDERS, TYPES, PAYMENTS = 16_401, 16_402, 16_403
ORDER_COLUMNS = [
    "id",
    "event_id",
    "user_id",
    "status",
    "items",
    "quantity",
    "reason",
    "idempotency_key",
    "expires_at",
]
ROW = ["o1", "3", "ann", "reserved", '[{"quantity": 1}]', "1", None, "k", "2026-03-01 12:00:00.5+00"]
SAME = object()
"""A value that the message leaves out because it is large and did not change."""


def begin(lsn: int = 5, micros: int = 2_000_000) -> bytes:
    return b"B" + struct.pack(">QqI", lsn, micros, 700)


def commit() -> bytes:
    return b"C" + struct.pack(">BQQq", 0, 5, 6, 2_000_000)


def relation(oid: int, name: str, columns: Iterable[str]) -> bytes:
    listed = list(columns)
    shapes = b"".join(b"\x01" + column.encode() + b"\0" + struct.pack(">Ii", 25, -1) for column in listed)
    head = struct.pack(">I", oid) + b"public\0" + name.encode() + b"\0d" + struct.pack(">h", len(listed))
    return b"R" + head + shapes


def row(values: Iterable[object]) -> bytes:
    listed = list(values)
    return struct.pack(">h", len(listed)) + b"".join(map(value, listed))


def value(given: object) -> bytes:
    if given is None:
        return b"n"
    if given is SAME:
        return b"u"
    raw = str(given).encode()
    return b"t" + struct.pack(">i", len(raw)) + raw


def insert(oid: int, values: Iterable[object]) -> bytes:
    return b"I" + struct.pack(">I", oid) + b"N" + row(values)


def update(oid: int, values: Iterable[object], old: Iterable[object] | None = None) -> bytes:
    key = b"" if old is None else b"K" + row(old)
    return b"U" + struct.pack(">I", oid) + key + b"N" + row(values)


def delete(oid: int, values: Iterable[object]) -> bytes:
    return b"D" + struct.pack(">I", oid) + b"K" + row(values)


def told(*messages: bytes, events: frozenset[int] = frozenset({3})) -> list[Commit]:
    described = relation(ORDERS, "orders", ORDER_COLUMNS)
    types = relation(TYPES, "ticket_types", ["id", "event_id", "capacity", "sold", "reserved"])
    payments = relation(PAYMENTS, "payments", ["reference", "order_id", "state"])
    return list(LedgerChanges().commits([described, types, payments, *messages], set(events)))


def test_a_transaction_begins_with_its_place_and_its_time() -> None:
    assert read(begin(lsn=0x1_0000_00AB)) == Begin(0x1_0000_00AB, 946_684_802_000.0)


def test_a_row_has_text_null_and_what_was_left_out() -> None:
    assert read(insert(9, ["ä", None])) == Insert(9, ("ä", None))
    assert read(update(9, ["x", SAME])) == Update(9, None, ("x", Unchanged.UNCHANGED))
    assert read(update(9, ["y", SAME], old=["x", None])) == Update(9, ("x", None), ("y", Unchanged.UNCHANGED))
    assert read(delete(9, ["x", None])) == Delete(9, ("x", None))


@pytest.mark.parametrize("other", [b"Oorigin", b"Ytype", b"Mmessage"])
def test_messages_that_change_no_row_are_passed_over(other: bytes) -> None:
    assert read(other) is None


@pytest.mark.parametrize(
    "torn",
    [b"", b"?", insert(9, ["x"])[:-1], begin()[:9], b"R\0\0\0\1open", b"I\0\0\0\1K", b"D\0\0\0\1N\0\0"],
)
def test_what_is_no_message_is_refused(torn: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read(torn)


def test_a_commit_has_the_changes_of_its_events_and_no_other() -> None:
    other = ["o2", "4", *ROW[2:]]
    (only,) = told(
        begin(), insert(ORDERS, ROW), insert(ORDERS, other), insert(TYPES, [7, 3, 10, 1, 2]), commit()
    )
    assert (only.lsn, only.at_ms) == ("0/5", 946_684_802_000.0)
    written, stock = only.changes
    assert isinstance(written, OrderChange)
    assert (written.id, written.before, written.status) == ("o1", None, "reserved")
    assert written.expires_at_ms == 1_772_366_400_500.0
    assert stock == TypeChange(id=7, event_id=3, capacity=10, sold=1, reserved=2)


def test_a_payment_is_of_its_orders_event() -> None:
    known, unknown = (insert(PAYMENTS, [name, name, "applied"]) for name in ("o1", "o7"))
    (only,) = told(begin(), insert(ORDERS, ROW), known, unknown, commit())
    assert only.changes[1:] == (PaymentChange(reference="o1", order_id="o1", state="applied"),)


def test_a_commit_of_other_events_is_left_out() -> None:
    assert told(begin(), insert(ORDERS, ROW), commit(), events=frozenset({4})) == []


def test_a_change_knows_the_status_before_it_and_the_value_that_it_left_alone() -> None:
    after = [*ROW[:3], "confirmed", SAME, *ROW[5:8], None]
    _, second = told(begin(5), insert(ORDERS, ROW), commit(), begin(6), update(ORDERS, after), commit())
    (change,) = second.changes
    assert isinstance(change, OrderChange)
    assert (change.before, change.status, bytes(change.items)) == ("reserved", "confirmed", ROW[4].encode())  # type: ignore[union-attr]


def test_a_row_from_before_the_history_has_an_unknown_past() -> None:
    (only,) = told(begin(), update(ORDERS, [*ROW[:4], SAME, *ROW[5:]]), commit())
    (change,) = only.changes
    assert isinstance(change, OrderChange)
    assert (change.before, msgspec.json.decode(change.items)) == ("unknown", [])


def test_a_row_keeps_its_past_under_a_new_key() -> None:
    moved = update(ORDERS, ["o9", *ROW[1:3], "confirmed", *ROW[4:]], old=["o1", *[None] * 8])
    _, second = told(begin(5), insert(ORDERS, ROW), commit(), begin(6), moved, commit())
    (change,) = second.changes
    assert isinstance(change, OrderChange)
    assert (change.id, change.before) == ("o9", "reserved")


def test_deleted_rows_and_emptied_tables_are_removals() -> None:
    gone = delete(ORDERS, ["o1", *[None] * 8])
    emptied = b"T" + struct.pack(">IBII", 2, 0, ORDERS, 99)
    commits = told(
        begin(5), insert(ORDERS, ROW), commit(), begin(6), gone, commit(), begin(7), emptied, commit()
    )
    assert [commit.changes for commit in commits[1:]] == [
        (Removal(table="orders", id="o1"),),
        (Removal(table="orders"),),
    ]


def test_a_row_from_before_the_history_may_go_without_a_word() -> None:
    assert told(begin(), delete(ORDERS, ["o0", *[None] * 8]), commit()) == []


def test_what_is_handed_out_again_is_told_once() -> None:
    once = (begin(), insert(ORDERS, ROW), commit())
    assert len(told(*once, *once)) == 1
