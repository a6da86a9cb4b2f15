"""The ledger as an auditor reads it: by SQL of its own, past the service's code. Read-only."""

from __future__ import annotations

import uuid

import msgspec
import psycopg

from infra.rush.facts import ItemSeen, LedgerSeen, OrderSeen, TicketTypeSeen

TICKET_TYPES = "SELECT id, capacity, sold FROM ticket_types WHERE event_id = %s ORDER BY id"
ORDERS = """
    SELECT id, user_id, status, items, reason, accepted_at, decided_at
    FROM orders WHERE event_id = %s ORDER BY id
"""


def read_ledger(dsn: str, event_id: int) -> LedgerSeen:
    """Everything that the ledger at `dsn` has of an event, as of one moment. Raises psycopg.Error."""
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        types = connection.execute(TICKET_TYPES, (event_id,)).fetchall()
        orders = connection.execute(ORDERS, (event_id,)).fetchall()
    return LedgerSeen(tuple(TicketTypeSeen(*row) for row in types), tuple(_order(row) for row in orders))


def _order(row: tuple[object, ...]) -> OrderSeen:
    order_id, user_id, status, items, reason, accepted_at, decided_at = row
    return msgspec.convert(
        {
            "id": str(order_id) if isinstance(order_id, uuid.UUID) else order_id,
            "userId": user_id,
            "status": status,
            "items": msgspec.convert(items, tuple[ItemSeen, ...]),
            "reason": reason,
            "acceptedAt": accepted_at,
            "decidedAt": decided_at,
        },
        OrderSeen,
    )
