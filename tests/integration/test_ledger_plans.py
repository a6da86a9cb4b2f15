"""How PostgreSQL carries out the ledger's statements on tables that have grown since they were analysed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.migrate import migrate
from chalicelib.ledger.queries import QUERIES
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
