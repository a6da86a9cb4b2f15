"""One try to apply a batch, inside one transaction: reads the snapshot, records the decision.

Five statements between BEGIN and COMMIT, six after a lost race, whatever the batch's size. It knows no
rule: it reads what `rules` needs and writes what `rules` says, unless somebody was faster.
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

    def snapshot(self, batch: Sequence[OrderPlaced], *, hold: bool = False, keyed: bool = False) -> Snapshot:
        """Reads everything that the batch's decision depends on: two statements, three with `hold`.

        `hold` is for a batch that has lost a race, so that it cannot lose for ever: it first waits for
        whoever is selling the same ticket types, then keeps others out until the end. Only then does it
        look idempotency keys up: a key that another order has is rare, and loses the first race. `keyed`
        looks them up without holding anything, for who only asks what would be.
        """
        read = self._queries.hold_ticket_types if hold else self._queries.read_ticket_types
        events = {"event_ids": plain({placed.event_id for placed in batch})}
        types = self._connection.execute(read, events).fetchall()
        asked = _asked(batch)
        facts = self._connection.execute(self._queries.read_order_facts, asked).fetchall()
        known_keys = (
            self._connection.execute(self._queries.read_keys, asked).fetchall() if hold or keyed else []
        )
        return Snapshot(
            lots={
                type_id: Lot(event_id, unsold, version) for type_id, event_id, unsold, version, *_ in types
            },
            buyer_limits={event_id: limit for _, event_id, _, _, limit, *_ in types},
            hold_seconds={event_id: seconds for _, event_id, *_, seconds, _ in types if seconds},
            cancellation_limits={event_id: most for _, event_id, *_, most in types if most is not None},
            tallies={
                (batch[place - 1].event_id, batch[place - 1].user_id): Tally(quantity, version, given_back)
                for place, _, _, quantity, version, given_back in facts
                if version is not None
            },
            recorded={
                batch[place - 1].order_id: Recorded(OrderStatus(status), reason)
                for place, status, reason, *_ in facts
                if status is not None
            },
            keys={(user_id, key): order_id for user_id, key, order_id in known_keys},
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
        "reasons": _few([outcome.reason for outcome in outcomes]),
        "items": texts([_json(placed.items).decode() for placed in orders]),
        "quantities": plain([placed.quantity for placed in orders]),
        "total_prices": plain([placed.total_price for placed in orders]),
        "currencies": texts([placed.currency for placed in orders]),
        "accepted_at_ms": plain([placed.accepted_at_ms for placed in orders]),
        "expires_at": _few(
            [outcome.expires_at.isoformat() if outcome.expires_at else None for outcome in outcomes]
        ),
        "keys": _few([outcome.idempotency_key for outcome in outcomes]),
        "digests": _few([placed.request_digest for placed in orders]),
        "details": _few([outcome.detail for outcome in outcomes]),
    }


def _asked(batch: Sequence[OrderPlaced]) -> dict[str, str]:
    return {
        "order_ids": plain([placed.order_id for placed in batch]),
        "event_ids": plain([placed.event_id for placed in batch]),
        "user_ids": texts([placed.user_id for placed in batch]),
        "keys": _few([placed.idempotency_key for placed in batch]),
    }


def _sold(sales: Sequence[Sale]) -> dict[str, str]:
    return {
        "type_ids": plain([sale.ticket_type_id for sale in sales]),
        "quantities": plain([sale.quantity for sale in sales]),
        "versions": plain([sale.version for sale in sales]),
        "held": plain([sale.held for sale in sales]),
    }


def _counted(tallies: Sequence[BuyerTally]) -> dict[str, str]:
    return {
        "event_ids": plain([tally.event_id for tally in tallies]),
        "user_ids": texts([tally.user_id for tally in tallies]),
        "quantities": plain([tally.quantity for tally in tallies]),
        "versions": plain([tally.version for tally in tallies]),
    }


def _few(values: Sequence[str | None]) -> str:
    """A column that is often NULL throughout: unnest fills what an array lacks with NULL."""
    return texts(values) if any(values) else "{}"
