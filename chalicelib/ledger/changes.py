"""Makes a change of decided orders true: their status, the stock and the buyers' tallies.

Everybody locks in one order, so that nobody waits in a circle: orders, ticket types by id, tallies by
event and buyer. It knows no rule: what moves is worked out in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import psycopg
from msgspec.structs import replace

from chalicelib.errors import Conflict
from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.queries import Queries
from chalicelib.model import Order
from chalicelib.rules import Change, StockMove, TallyMove, sum_of


def make(connection: psycopg.Connection, queries: Queries, changed: Change, now: datetime) -> None:
    """Changes one order if it still has the status that the change begins with; raises Conflict if not.

    `now` is when an order ended that is over by the change.
    """
    statuses = {"before": changed.before.value, "after": changed.after.value}
    arguments = {"id": changed.order_id, "now": now, **statuses}
    if connection.execute(queries.change_order, arguments).rowcount != 1:
        raise Conflict(f"order: no longer {changed.before.value}")
    move(connection, queries, [changed])


def move(connection: psycopg.Connection, queries: Queries, changes: Iterable[Change]) -> None:
    """Moves what the changes of these orders move together: two statements however many they are."""
    stock, tallies = sum_of(changes)
    if stock:
        _expect(len(stock), connection.execute(queries.move_stock, _stock(stock)))
    if tallies:
        _expect(len(tallies), connection.execute(queries.move_tallies, _tallies(tallies)))


def order_after(order: Order, changed: Change) -> Order:
    """The order as it reads once the change is made."""
    return replace(order, status=changed.after, expires_at=None)


def _expect(rows: int, cursor: psycopg.Cursor) -> None:
    """A counter that is not there was never counted up: the books are wrong, and trying again is no help."""
    if cursor.rowcount != rows:
        raise RuntimeError(f"{cursor.rowcount} of {rows} counters are there")


def _stock(moves: Sequence[StockMove]) -> dict[str, str]:
    return {
        "type_ids": plain([each.ticket_type_id for each in moves]),
        "sold": plain([each.sold for each in moves]),
        "reserved": plain([each.reserved for each in moves]),
    }


def _tallies(moves: Sequence[TallyMove]) -> dict[str, str]:
    return {
        "event_ids": plain([each.event_id for each in moves]),
        "user_ids": texts([each.user_id for each in moves]),
        "quantities": plain([each.quantity for each in moves]),
        "given_back": plain([each.given_back for each in moves]),
    }
