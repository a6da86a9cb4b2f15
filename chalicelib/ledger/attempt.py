"""One try to apply a batch, inside one transaction: reads the snapshot, records the decision.

Five statements between BEGIN and COMMIT, whatever the batch's size. It knows no rule: it reads what
`rules` needs and writes what `rules` says, unless somebody was faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from chalicelib.errors import Conflict
from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.queries import Queries
from chalicelib.model import OrderPlaced, OrderStatus
from chalicelib.rules import BuyerTally, Decision, Lot, Outcome, Recorded, Sale, Snapshot, Tally

_json = msgspec.json.Encoder().encode


class Attempt:
    """Made by `Ledger.attempt`, good until that context ends."""

    def __init__(self, connection: psycopg.Connection, queries: Queries) -> None:
        """`connection` is inside the transaction."""
        self._connection = connection
        self._queries = queries

    def snapshot(self, batch: Sequence[OrderPlaced], *, hold: bool = False) -> Snapshot:
        """Reads everything that the batch's decision depends on: two statements.

        With `hold` it first waits for whoever is selling the same ticket types, and then keeps others
        out until the end: for a batch that has lost a race, so that it cannot lose for ever.
        """
        read = self._queries.hold_ticket_types if hold else self._queries.read_ticket_types
        events = {"event_ids": plain({placed.event_id for placed in batch})}
        types = self._connection.execute(read, events).fetchall()
        facts = self._connection.execute(self._queries.read_order_facts, _asked(batch)).fetchall()
        return Snapshot(
            lots={type_id: Lot(event_id, unsold, version) for type_id, event_id, unsold, version, _ in types},
            buyer_limits={event_id: limit for _, event_id, _, _, limit in types},
            tallies={
                (batch[place - 1].event_id, batch[place - 1].user_id): Tally(quantity, version)
                for place, _, _, quantity, version in facts
                if version is not None
            },
            recorded={
                batch[place - 1].order_id: Recorded(OrderStatus(status), reason)
                for place, status, reason, _, _ in facts
                if status is not None
            },
        )

    def record(self, decision: Decision) -> None:
        """Writes the decision: three statements. Raises Conflict when a row has moved since the snapshot."""
        fresh = [outcome for outcome in decision.outcomes if not outcome.known]
        self._write("ticket type", self._queries.sell, _sold(decision.sales), len(decision.sales))
        answers = {**columns_of(fresh), "decided_at": decision.decided_at}
        self._write("order", self._queries.record_orders, answers, len(fresh))
        self._write("tally", self._queries.record_tallies, _counted(decision.tallies), len(decision.tallies))

    def _write(self, what: str, statement: bytes, arguments: dict[str, Any], expected: int) -> None:
        written = self._connection.execute(statement, arguments).rowcount
        if written != expected:
            raise Conflict(f"{what}: {written} of {expected} rows were as read")


def columns_of(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Lays the orders out as record_orders wants them: one array a column, in step."""
    orders = [outcome.placed for outcome in outcomes]
    return {
        **_asked(orders),
        "statuses": texts([outcome.status.value for outcome in outcomes]),
        "reasons": texts([outcome.reason for outcome in outcomes]),
        "items": texts([_json(placed.items).decode() for placed in orders]),
        "quantities": plain([placed.quantity for placed in orders]),
        "total_prices": plain([placed.total_price for placed in orders]),
        "currencies": texts([placed.currency for placed in orders]),
        "accepted_at_ms": plain([placed.accepted_at_ms for placed in orders]),
    }


def _asked(batch: Sequence[OrderPlaced]) -> dict[str, str]:
    return {
        "order_ids": plain([placed.order_id for placed in batch]),
        "event_ids": plain([placed.event_id for placed in batch]),
        "user_ids": texts([placed.user_id for placed in batch]),
    }


def _sold(sales: Sequence[Sale]) -> dict[str, str]:
    return {
        "type_ids": plain([sale.ticket_type_id for sale in sales]),
        "quantities": plain([sale.quantity for sale in sales]),
        "versions": plain([sale.version for sale in sales]),
    }


def _counted(tallies: Sequence[BuyerTally]) -> dict[str, str]:
    return {
        "event_ids": plain([tally.event_id for tally in tallies]),
        "user_ids": texts([tally.user_id for tally in tallies]),
        "quantities": plain([tally.quantity for tally in tallies]),
        "versions": plain([tally.version for tally in tallies]),
    }
