"""How PostgreSQL searches 100,000 orders and 10,000 dead letters: by indexes, and few rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from chalicelib.ledger.arrays import plain
from chalicelib.ledger.migrate import migrate
from chalicelib.ledger.queries import QUERIES
from tests.support.postgres import Server

pytestmark = pytest.mark.slow

SOME_ID = "0f000000-0000-7000-8000-000000000001"
ORDERS, LETTERS = 100_000, 10_000
FILL = (
    "INSERT INTO orders (id, event_id, user_id, status, items, quantity, total_price, currency, accepted_at,"
    " decided_at, idempotency_key) SELECT uuidv7(), 1 + n % 20,"
    " CASE WHEN n % 3 = 0 THEN 'the hoarder' ELSE 'buyer ' || n % 20000 END, 'confirmed', '[]', 1, 0, 'EUR',"
    f" now(), now(), CASE WHEN n % 2 = 0 THEN 'key ' || n END FROM generate_series(1, {ORDERS}) AS n",
    "INSERT INTO dead_letters (message_id, body, reason, receive_count, recorded_at, moved_at, order_id,"
    " event_id, user_id) SELECT 'message ' || n, '{}', 'a bug', 5, now() - n * interval '1 s', now(),"
    " uuidv7(), 1 + n % 20, CASE WHEN n % 3 = 0 THEN 'the hoarder' ELSE 'buyer ' || n % 500 END"
    f" FROM generate_series(1, {LETTERS}) AS n",
    "INSERT INTO failed_attempts SELECT message_id, recorded_at - n * interval '1 s', 'a bug', n"
    " FROM dead_letters, generate_series(1, 5) AS n",
    "INSERT INTO payments SELECT state || id, id::text, 1, 'EUR', 'succeeded', state, now()"
    " FROM orders, unnest(ARRAY['applied', 'refund-due']) AS state",
)
"""A third of everything is one buyer's, so that a plan that reads all of a buyer's rows shows."""


@pytest.fixture(scope="module", params=["analysed", "not yet analysed"])
def connection(request: pytest.FixtureRequest, postgres: Server) -> Iterator[psycopg.Connection]:
    with postgres.database() as dsn:
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connected:
            for table in ("orders", "dead_letters", "failed_attempts", "payments"):
                connected.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
            for statement in FILL:
                connected.execute(statement.encode())
            if request.param == "analysed":
                connected.execute("ANALYZE")
            yield connected


def plan(connection: psycopg.Connection, statement: bytes, arguments: dict[str, Any]) -> tuple[str, float]:
    """The plan as it was carried out, and the ms that it took."""
    lines = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS OFF) " + statement, arguments).fetchall()
    text = "\n".join(line for (line,) in lines)
    return text, float(text.rpartition("Execution Time: ")[2].split()[0])


def expect(found: tuple[str, float], *indexes: str) -> None:
    text, took_ms = found
    assert all(index in text for index in indexes), text
    assert "Seq Scan" not in text, text
    assert took_ms < 300, text


@pytest.mark.parametrize("text", ["buyer 7", "key 8", "message 9", "the hoarder", "nobody", SOME_ID])
def test_candidates_come_from_one_index_for_each_way_to_be_known(
    connection: psycopg.Connection, text: str
) -> None:
    found = plan(connection, QUERIES.find_candidates, {"text": text, "lim": 1_000})
    expect(found, "orders_of_a_buyer", "orders_by_key", "dead_letters_of_a_buyer", "dead_letters_pkey")


@pytest.mark.parametrize("size", [1, 50])
def test_orders_and_letters_are_looked_up_by_id(connection: psycopg.Connection, size: int) -> None:
    rows = connection.execute("SELECT id FROM orders LIMIT %s", [size]).fetchall()
    ids = plain([order_id for (order_id,) in rows])
    expect(plan(connection, QUERIES.read_orders_by_id, {"ids": ids}), "orders_pkey")
    arguments = {"ids": ids, "message_id": "message 9", "lim": 1_000}
    found = plan(connection, QUERIES.read_letters, arguments)
    expect(found, "dead_letters_of_an_order", "dead_letters_pkey")


def test_letters_of_no_order_are_not_looked_for(connection: psycopg.Connection) -> None:
    arguments = {"ids": "{}", "message_id": "message 9", "lim": 1_000}
    expect(plan(connection, QUERIES.read_letters, arguments), "dead_letters_pkey")


@pytest.mark.parametrize("table", ["orders WHERE id", "dead_letters WHERE order_id"])
def test_a_trace_comes_from_indexes_wherever_the_order_is(connection: psycopg.Connection, table: str) -> None:
    column = table.rpartition(" ")[2]
    (order_id,) = connection.execute(
        f"SELECT {column} FROM {table} IS NOT NULL LIMIT 1".encode()
    ).fetchone() or ("",)
    found = plan(connection, QUERIES.read_trace, {"id": order_id, "lim": 200})
    indexes = ("orders_pkey", "dead_letters_of_an_order", "failed_attempts_of_a_message")
    text, took_ms = found
    assert all(index in text for index in (*indexes, "payments_of_an_order")), text
    assert not any(f"Seq Scan on {name}" in text for name in ("orders", "dead_letters", "payments")), text
    assert took_ms < 300, text


def test_control_without_its_index_a_search_reads_the_table(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("DROP INDEX dead_letters_of_a_buyer")
        found, _ = plan(connection, QUERIES.find_candidates, {"text": "nobody", "lim": 1_000})
        assert "Seq Scan on dead_letters" in found
