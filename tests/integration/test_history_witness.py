"""PostgreSQL's own log as a witness of the ledger: real bytes, real crashes, and nothing left behind."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chalicelib.ledger.migrate import migrate
from infra.history import pgoutput
from infra.history.ledger_changes import LedgerChanges
from infra.history.lines import Commit, End, OrderChange, TypeChange, decode
from infra.history.recorder import Recorder
from infra.history.witness import Witness
from infra.local import postgres as embedded
from infra.local.layout import free_port
from tests.support.parts import running as running_part
from tests.support.postgres import SETTINGS, Server, running

pytestmark = pytest.mark.slow

EVENT = "INSERT INTO events (name, description, currency) VALUES ('x', '', 'EUR') RETURNING id"
TYPE = "INSERT INTO ticket_types (event_id, name, price, capacity) VALUES (%s, 'Floor', 5, 10)"
ORDER = """
    INSERT INTO orders (id, event_id, user_id, status, items, quantity, total_price, currency, accepted_at,
                        decided_at, expires_at, idempotency_key)
    VALUES (%s, %s, 'ann', 'reserved', %s::jsonb, 2, 10, 'EUR', now(), now(), '2026-03-01 12:00Z', %s)
"""
FEW = [{"ticketTypeId": 1, "quantity": 2, "unitPrice": 5}]


class Books:
    """A ledger that a test writes by hand."""

    def __init__(self, dsn: str) -> None:
        self.ledger = psycopg.connect(dsn, autocommit=True)
        (self.event_id,) = self.ledger.execute(EVENT).fetchone() or (0,)
        self.do(TYPE, self.event_id)

    def do(self, statement: str, *arguments: object) -> None:
        """Runs one statement and commits it."""
        self.ledger.execute(statement.encode(), arguments)

    def order(self, items: Any = FEW) -> str:
        """Writes a reserved order."""
        order_id = str(uuid.uuid4())
        self.do(ORDER, order_id, self.event_id, json.dumps(items), order_id)
        return order_id


@pytest.fixture
def books(database: str) -> Iterator[Books]:
    books = Books(database)
    with books.ledger:
        yield books


@pytest.fixture
def witness(database: str, books: Books) -> Iterator[Witness]:
    with closing(Witness(database)) as witness:
        yield witness


def seen(witness: Witness, books: Books) -> list[Commit]:
    return list(LedgerChanges().commits(witness.messages(), {books.event_id}))


def left_behind(dsn: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as ledger:
        publications = ledger.execute("SELECT pubname FROM pg_publication").fetchall()
        slots = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
        return publications + ledger.execute(slots).fetchall()


def test_every_kind_of_message_is_read_from_real_bytes(witness: Witness, books: Books) -> None:
    order_id = books.order()
    books.do("UPDATE orders SET status = 'confirmed', expires_at = NULL WHERE id = %s", order_id)
    books.do("UPDATE orders SET id = %s WHERE id = %s", (moved := str(uuid.uuid4())), order_id)
    books.do("DELETE FROM orders WHERE id = %s", moved)
    books.do("TRUNCATE orders")
    messages = [message for data in witness.messages() if (message := pgoutput.read(data))]
    kinds = [
        "Begin",
        "Relation",
        "Insert",
        "Commit",
        "Begin",
        "Update",
        "Commit",
        "Begin",
        "Update",
        "Commit",
    ]
    kinds += ["Begin", "Delete", "Commit", "Begin", "Relation", "Truncate", "Commit"]
    assert [type(message).__name__ for message in messages] == kinds
    updates = [message for message in messages if isinstance(message, pgoutput.Update)]
    assert [update.old and update.old[0] for update in updates] == [None, order_id]


def test_commits_are_told_in_order_with_what_was_before(witness: Witness, books: Books) -> None:
    order_id = books.order()
    with books.ledger.transaction():
        books.do("UPDATE orders SET status = 'cancelled', expires_at = NULL WHERE id = %s", order_id)
        books.do("UPDATE ticket_types SET sold = 3, reserved = 1 WHERE event_id = %s", books.event_id)
    first, second = seen(witness, books)
    (written,) = first.changes
    assert isinstance(written, OrderChange)
    assert (written.id, written.before, written.status) == (order_id, None, "reserved")
    assert (written.user_id, written.quantity, written.idempotency_key) == ("ann", 2, order_id)
    assert json.loads(bytes(written.items)) == FEW
    assert written.expires_at_ms == 1_772_366_400_000.0
    changed, stock = second.changes
    assert isinstance(changed, OrderChange)
    assert (changed.before, changed.status, changed.expires_at_ms) == ("reserved", "cancelled", None)
    assert isinstance(stock, TypeChange)
    assert (stock.capacity, stock.sold, stock.reserved) == (10, 3, 1)
    assert first.at_ms <= second.at_ms


def test_what_was_rolled_back_never_was(witness: Witness, books: Books) -> None:
    with books.ledger.transaction(force_rollback=True):
        books.order()
    assert seen(witness, books) == []


def test_a_large_value_that_an_update_leaves_alone_is_that_of_before(witness: Witness, books: Books) -> None:
    many = [{"ticketTypeId": number, "quantity": 1, "unitPrice": uuid.uuid4().int} for number in range(500)]
    order_id = books.order(many)
    books.do("UPDATE orders SET status = 'confirmed', expires_at = NULL WHERE id = %s", order_id)
    messages = list(witness.messages())
    update = next(message for data in messages if isinstance(message := pgoutput.read(data), pgoutput.Update))
    assert pgoutput.Unchanged.UNCHANGED in update.new
    _, second = LedgerChanges().commits(messages, {books.event_id})
    (change,) = second.changes
    assert isinstance(change, OrderChange)
    assert json.loads(bytes(change.items)) == many


def test_a_second_look_tells_what_came_since(witness: Witness, books: Books) -> None:
    changes = LedgerChanges()
    books.order()
    assert len(list(changes.commits(witness.messages(), {books.event_id}))) == 1
    books.order()
    books.order()
    assert len(list(changes.commits(witness.messages(), {books.event_id}))) == 2


def test_a_long_log_is_read_in_portions(
    witness: Witness, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.history.witness.PORTION", 3)
    for _ in range(5):
        books.order()
    assert len(seen(witness, books)) == 5


def test_a_witness_leaves_nothing_behind(database: str) -> None:
    with closing(Witness(database)):
        assert len(left_behind(database)) == 2
    assert left_behind(database) == []


def test_the_next_witness_takes_away_what_the_last_has_left_behind(database: str, books: Books) -> None:
    Witness(database)
    books.order()
    with closing(Witness(database)) as second:
        assert len(left_behind(database)) == 2
        assert seen(second, books) == []
    assert left_behind(database) == []


def test_a_crash_of_postgres_takes_nothing_from_the_witness(tmp_path: Path) -> None:
    port = free_port()
    dsn = embedded.dsn(port)
    crashing = replace(embedded.part(tmp_path / "data", port, SETTINGS), stop_signal=signal.SIGQUIT)
    with running_part(crashing, tmp_path):
        migrate(dsn)
        books = Books(dsn)
        witness = Witness(dsn)
        with books.ledger:
            ids = [books.order() for _ in range(3)]
    with running_part(crashing, tmp_path), closing(witness):
        commits = seen(witness, books)
        assert [
            change.id for commit in commits for change in commit.changes if isinstance(change, OrderChange)
        ] == ids


def test_a_ledger_that_cannot_bear_witness_says_so_in_the_history(tmp_path: Path) -> None:
    with running({**SETTINGS, "wal_level": "replica"}) as server:
        migrate(server.dsn())
        with closing(Recorder("test", "", server.dsn())) as record:
            record.over(None)
            record.write(tmp_path / "history.jsonl")
        assert left_behind(server.dsn()) == []
    (*_, last) = (tmp_path / "history.jsonl").read_bytes().splitlines()
    end = decode(last)
    assert isinstance(end, End)
    assert "wal_level" in str(end.without_ledger)


def test_a_witness_that_was_taken_away_is_missed(database: str, tmp_path: Path) -> None:
    with closing(Recorder("test", "", database)) as record:
        Witness(database).close()
        record.over(None)
        record.write(tmp_path / "history.jsonl")
    (*_, last) = (tmp_path / "history.jsonl").read_bytes().splitlines()
    end = decode(last)
    assert isinstance(end, End)
    assert "does not exist" in str(end.without_ledger)


def test_a_role_that_may_not_publish_the_ledger_is_no_witness(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    postgres.execute("CREATE ROLE clerk LOGIN")
    try:
        with closing(Recorder("test", "", database.replace("//onsale@", "//clerk@"))) as record:
            record.over(None)
            record.write(tmp_path / "history.jsonl")
    finally:
        postgres.execute("DROP ROLE clerk")
    end = decode((tmp_path / "history.jsonl").read_bytes().splitlines()[-1])
    assert isinstance(end, End)
    assert "permission denied" in str(end.without_ledger)
    assert left_behind(database) == []
