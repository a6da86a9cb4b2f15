"""The ledger as an auditor reads it: by SQL of its own, past the service's code. Read-only."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from infra.audit.evidence import LedgerHeld, OrderHeld, PaymentHeld, TypeHeld
from infra.rush.facts import ItemSeen

EVENT = "SELECT max_per_buyer, hold_seconds, clock_timestamp() AS now FROM events WHERE id = %s"
TYPES = "SELECT id, capacity, sold, reserved FROM ticket_types WHERE event_id = %s ORDER BY id"
ORDERS = """
    SELECT id::text, user_id, status, items, total_price, currency, decided_at, expires_at, idempotency_key
    FROM orders WHERE event_id = %s ORDER BY id
"""
TALLIES = "SELECT user_id, quantity, given_back FROM tallies WHERE event_id = %s"
PAYMENTS = """
    SELECT reference, order_id, amount, currency, outcome, state
    FROM payments WHERE order_id IN (SELECT id::text FROM orders WHERE event_id = %s)
"""


class NoSuchEvent(Exception):
    """The ledger does not know the event."""


def read_ledger(connection: psycopg.Connection[Any], event_id: int) -> LedgerHeld:
    """Everything of an event, as of one moment. Raises NoSuchEvent, or psycopg.Error."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        event = _rows(connection, EVENT, event_id)
        if not event:
            raise NoSuchEvent(f"there is no event {event_id}")
        tallies = _rows(connection, TALLIES, event_id)
        return LedgerHeld(
            now=event[0]["now"],
            max_per_buyer=event[0]["max_per_buyer"],
            hold_seconds=event[0]["hold_seconds"],
            types=tuple(TypeHeld(**row) for row in _rows(connection, TYPES, event_id)),
            orders=tuple(_order(row) for row in _rows(connection, ORDERS, event_id)),
            tallies={row["user_id"]: row["quantity"] for row in tallies},
            given_back={row["user_id"]: row["given_back"] for row in tallies if row["given_back"]},
            payments=tuple(PaymentHeld(**row) for row in _rows(connection, PAYMENTS, event_id)),
        )


def _order(row: dict[str, Any]) -> OrderHeld:
    return OrderHeld(**(row | {"items": msgspec.convert(row["items"], tuple[ItemSeen, ...])}))


def _rows(connection: psycopg.Connection[Any], statement: str, event_id: int) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), (event_id,)).fetchall()
