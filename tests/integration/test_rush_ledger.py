"""The auditor's SQL against the real schema: what it reads is what was written."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from infra.rush.facts import ItemSeen, TicketTypeSeen
from infra.rush.ledger import read_ledger
from tests.support.postgres import database, postgres

__all__ = ["database", "postgres"]

pytestmark = pytest.mark.slow
ORDER_ID = "01931111-2222-7333-8444-555566667777"
AN_ORDER = """
    INSERT INTO orders (id, event_id, user_id, status, reason, items, quantity, total_price, currency,
                        accepted_at, decided_at)
    VALUES (%s, %s, 'u', 'rejected', 'sold-out', %s, 3, 300, 'EUR', %s, %s)
"""
MOMENT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ITEMS = '[{"ticketTypeId": 5, "quantity": 3, "unitPrice": 100}]'


def test_the_auditor_reads_ticket_types_and_orders_of_one_event(database: str) -> None:
    with psycopg.connect(database) as connection:
        event_id, type_id = _an_event(connection, capacity=10, sold=3)
        _an_event(connection, capacity=99, sold=0)
        connection.execute(
            AN_ORDER,
            (ORDER_ID, event_id, ITEMS, MOMENT, MOMENT),
        )
    seen = read_ledger(database, event_id)
    assert seen.ticket_types == (TicketTypeSeen(type_id, 10, 3),)
    (order,) = seen.orders
    assert (order.id, order.user_id, order.status, order.reason) == (ORDER_ID, "u", "rejected", "sold-out")
    assert (order.items, order.quantity) == ((ItemSeen(5, 3),), 3)
    assert (order.accepted_at, order.decided_at) == (MOMENT, MOMENT)


def test_an_event_that_the_ledger_does_not_have_is_empty(database: str) -> None:
    seen = read_ledger(database, 404)
    assert (seen.ticket_types, seen.orders) == ((), ())


def _an_event(connection: psycopg.Connection, *, capacity: int, sold: int) -> tuple[int, int]:
    event = connection.execute(
        "INSERT INTO events (name, description, currency) VALUES ('n', 'd', 'EUR') RETURNING id"
    ).fetchone()
    assert event is not None
    ticket_type = connection.execute(
        "INSERT INTO ticket_types (event_id, name, price, capacity, sold) VALUES (%s, 'g', 0, %s, %s)"
        " RETURNING id",
        (event[0], capacity, sold),
    ).fetchone()
    assert ticket_type is not None
    return event[0], ticket_type[0]
