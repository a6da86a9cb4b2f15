"""How PostgreSQL carries out the ledger's statements on tables that have grown since they were analysed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.migrate import migrate
from chalicelib.ledger.queries import QUERIES
from tests.support.events import NOON
from tests.support.postgres import Server

pytestmark = pytest.mark.slow

SOME_ID = "0f000000-0000-7000-8000-000000000001"
ANY: dict[str, Any] = dict.fromkeys(("id", "event_id", "user_id", "status", "before")) | {"lim": 50}


@pytest.fixture
def connection(postgres: Server) -> Iterator[psycopg.Connection]:
    with postgres.database() as dsn:
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connected:
            yield connected


def grow(connection: psycopg.Connection, rows: int) -> None:
    connection.execute(
        "INSERT INTO orders SELECT uuidv7(), 1 + n %% 20, 'buyer ' || n %% 5000, 'confirmed', NULL,"
        " '[]', 1, 0, 'EUR', now(), now() FROM generate_series(1, %s) AS n",
        [rows],
    )
    connection.execute("INSERT INTO tallies SELECT DISTINCT event_id, user_id, 1, 1 FROM orders")


def plan(connection: psycopg.Connection, statement: bytes, arguments: dict[str, Any]) -> str:
    lines = connection.execute(b"EXPLAIN " + statement, arguments).fetchall()
    return "\n".join(line for (line,) in lines)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "orders_pkey"),
        ({"before": SOME_ID}, "orders_pkey"),
        ({"id": SOME_ID}, "orders_pkey"),
        ({"event_id": 3}, "orders_of_an_event"),
        ({"event_id": 3, "before": SOME_ID}, "orders_of_an_event"),
        ({"user_id": "buyer 3"}, "orders_of_a_buyer"),
    ],
    ids=str,
)
def test_a_page_of_orders_comes_from_an_index_in_its_order(
    connection: psycopg.Connection, asked: dict[str, Any], index: str
) -> None:
    grow(connection, 20_000)
    connection.execute("ANALYZE orders")
    found = plan(connection, QUERIES.read_orders, ANY | asked)
    assert index in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize("rows", [500, 20_000])
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_the_facts_of_a_batch_come_from_indexes_before_anybody_analysed(
    connection: psycopg.Connection, size: int, rows: int
) -> None:
    grow(connection, rows)
    arguments = {
        "order_ids": plain([SOME_ID] * size),
        "event_ids": plain([1] * size),
        "user_ids": texts(["buyer 1"] * size),
    }
    found = plan(connection, QUERIES.read_order_facts, arguments)
    assert "using orders_pkey" in found
    assert "using tallies_pkey" in found


@pytest.mark.parametrize("rows", [500, 20_000])
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_the_keys_of_a_batch_come_from_their_index(
    connection: psycopg.Connection, size: int, rows: int
) -> None:
    grow(connection, rows)
    asked = {"user_ids": texts(["buyer 1"] * size), "keys": texts(["key 1"] * size)}
    assert "using orders_by_key" in plan(connection, QUERIES.read_keys, asked)


@pytest.mark.parametrize("rows", [500, 20_000])
def test_what_is_due_comes_from_the_index_of_holds(connection: psycopg.Connection, rows: int) -> None:
    grow(connection, rows)
    arguments = {"now": NOON, "lim": 500}
    assert "using orders_on_hold" in plan(connection, QUERIES.expire_orders, arguments)


@pytest.mark.parametrize("given", [0, 1, 1_000])
def test_a_survey_looks_its_orders_up_by_their_ids(connection: psycopg.Connection, given: int) -> None:
    grow(connection, 20_000)
    connection.execute("ANALYZE orders")
    found = plan(connection, QUERIES.survey, {"id": 1, "order_ids": plain([SOME_ID] * given)})
    assert "orders_pkey" in found


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "payments_by_time"),
        ({"state": "refund-due"}, "payments_by_state"),
        ({"state": "refund-due", "after": "payment 7"}, "payments_by_state"),
        ({"reference": "payment 7"}, "payments_pkey"),
    ],
    ids=str,
)
def test_a_page_of_payments_comes_from_an_index_in_its_order(
    connection: psycopg.Connection, asked: dict[str, Any], index: str
) -> None:
    connection.execute(
        "INSERT INTO payments SELECT 'payment ' || n, uuidv7(), 1, 'EUR', 'succeeded',"
        " (ARRAY['applied', 'parked', 'refund-due'])[1 + n % 3], now() - n * interval '1 s'"
        " FROM generate_series(1, 20000) AS n"
    )
    connection.execute("ANALYZE payments")
    arguments = dict.fromkeys(("reference", "state", "after")) | {"lim": 50} | asked
    found = plan(connection, QUERIES.read_payments, arguments)
    assert index in found
    assert "Seq Scan" not in found


LETTERS: dict[str, Any] = dict.fromkeys(
    ("message_ids", "event_id", "user_id", "reason", "state", "before_at", "before_id")
) | {"with_bodies": False, "lim": 51}


def bury(connection: psycopg.Connection, rows: int) -> None:
    connection.execute(
        "INSERT INTO dead_letters (message_id, body, reason, receive_count, failures, recorded_at, moved_at,"
        " order_id, event_id, user_id)"
        " SELECT gen_random_uuid()::text, repeat('x', 400), 'KeyError: ' || n, 5, 5,"
        " now() - n * interval '1 s', now(), uuidv7(), 1 + n %% 20, 'buyer ' || n %% 5000"
        " FROM generate_series(1, %s) AS n",
        [rows],
    )


@pytest.mark.parametrize("analysed", [False, True])
def test_dead_letters_are_listed_and_found_from_indexes(
    connection: psycopg.Connection, analysed: bool
) -> None:
    bury(connection, 10_000)
    if analysed:
        connection.execute("ANALYZE dead_letters")
    page = plan(connection, QUERIES.read_dead_letters, LETTERS)
    later = plan(connection, QUERIES.read_dead_letters, LETTERS | {"before_at": NOON, "before_id": "m"})
    assert "dead_letters_by_time" in page
    assert "dead_letters_by_time" in later
    chosen = LETTERS | {"message_ids": texts(["a", "b"])}
    assert "dead_letters_pkey" in plan(connection, QUERIES.read_dead_letters, chosen)
    attempts = plan(connection, QUERIES.read_failed_attempts, {"message_id": "m", "lim": 9})
    assert "failed_attempts_of_a_message" in attempts


def test_a_thousand_overdue_orders_are_looked_for_by_index(connection: psycopg.Connection) -> None:
    grow(connection, 20_000)
    bury(connection, 10_000)
    connection.execute("ANALYZE orders, dead_letters")
    asked = {"order_ids": plain([SOME_ID] * 1_000), "failed_since": datetime.now(UTC)}
    found = plan(connection, QUERIES.read_with_messages, asked)
    assert "Seq Scan on orders" not in found
