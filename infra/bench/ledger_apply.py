"""Measures fulfilment alone: orders a second through one hot ticket type, beside a raw bulk insert.

Run by hand: python -m infra.bench.ledger_apply DSN [batch ...]. The database must be migrated; each
measurement makes an event of its own and leaves its rows there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import msgspec

from chalicelib.fulfilment import fulfil
from chalicelib.ledger.attempt import columns_of
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.queries import QUERIES
from chalicelib.model import Event, EventDraft, Item, OrderPlaced, OrderStatus, TicketTypeDraft
from chalicelib.order_ids import new_order_id
from chalicelib.rules import Outcome
from chalicelib.services import Services, utc_now
from chalicelib.settings import Settings
from infra.bench.apart import apart


class _SettlesNothing:
    """Stands in for the gate where the ledger alone is measured."""

    def settle(self, _event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        return len(kept) + len(returned)


def measure_apply(dsn: str, batch: int, seconds: float, workers: int = 1, gate: Any = None) -> float:
    """Orders a second through `fulfil`, all for one ticket type, by `workers` threads on it at once.

    From the SQS event to the committed transaction; `gate` settles, or nothing does. Making the events is
    not counted, and their orders are distinct.
    """
    services = Services(Settings(database_url=dsn, ledger_connections=workers, apply_attempts=1_000))
    services.__dict__["gate"] = gate or _SettlesNothing()
    event = _hot_event(services.ledger)  # also builds the ledger before threads could build several

    def once() -> Callable[[], None]:
        records = _records(event, batch)
        return lambda: _expect_none_failed(fulfil(services, records))

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(lambda _: batch * _rate(once, seconds), range(workers)))


def measure_raw_insert(dsn: str, batch: int, seconds: float) -> float:
    """Rows a second by one `INSERT … SELECT FROM unnest` of `batch` orders a transaction, and nothing else.

    The statement, the table with its indexes, the driver and the rows are those of `measure_apply`.
    """
    connections = Connections(dsn, 1, 3_000)
    event = _hot_event(Ledger(connections))
    with connections.lease() as connection:

        def once() -> Callable[[], object]:
            orders, now = [_confirmed(event) for _ in range(batch)], utc_now()
            return lambda: connection.execute(
                QUERIES.record_orders, {**columns_of(orders), "decided_at": now}
            )

        rate = batch * _rate(once, seconds)
    connections.close()
    return rate


def measure_pair(dsn: str, batch: int, seconds: float, times: int = 3) -> tuple[float, float]:
    """Raw inserts and fulfilled orders a second: the medians of `times` repetitions, taken in turn.

    In turn, so that what else the machine is doing falls on both alike.
    """
    pairs = [
        (measure_raw_insert(dsn, batch, seconds), measure_apply(dsn, batch, seconds)) for _ in range(times)
    ]
    raw, ours = zip(*pairs, strict=True)
    return median(raw), median(ours)


def _rate(once: Callable[[], Callable[[], object]], seconds: float) -> float:
    """Runs a second; `once` prepares a run, off the clock."""
    runs, spent = 0, 0.0
    while spent < seconds:
        run = once()
        started = time.perf_counter()
        run()
        spent += time.perf_counter() - started
        runs += 1
    return runs / spent


def _hot_event(ledger: Ledger) -> Event:
    kind = TicketTypeDraft("General admission", 0, 2**31 - 1)
    return ledger.create_event(
        EventDraft(name="Bench", description="", currency="USD", ticket_types=(kind,), max_per_buyer=4)
    )


def _order(event: Event) -> OrderPlaced:
    now_ms = time.time_ns() // 1_000_000
    order_id = new_order_id(event.id, now_ms)
    return OrderPlaced(
        schema=1,
        order_id=order_id,
        event_id=event.id,
        user_id=f"buyer-{order_id}",
        currency=event.currency,
        items=(Item(event.ticket_types[0].id, 1, 0),),
        accepted_at_ms=now_ms,
    )


def _confirmed(event: Event) -> Outcome:
    placed = _order(event)
    return Outcome(placed.order_id, event.id, OrderStatus.CONFIRMED, None, placed, False)


def _records(event: Event, batch: int) -> dict[str, Any]:
    bodies = [msgspec.json.encode(_order(event)).decode() for _ in range(batch)]
    return {"Records": [{"messageId": str(place), "body": body} for place, body in enumerate(bodies)]}


def _expect_none_failed(answer: dict[str, Any]) -> None:
    if answer["batchItemFailures"]:
        raise RuntimeError(f"{len(answer['batchItemFailures'])} records failed")


def _main(dsn: str, batches: list[int]) -> None:
    for batch in batches or [10, 100, 1_000]:
        raw, ours = apart(measure_pair, dsn, batch, 2)
        figures = {"batch": batch, "raw": round(raw), "ours": round(ours), "share": round(ours / raw, 2)}
        print(json.dumps(figures))


if __name__ == "__main__":
    _main(sys.argv[1], [int(batch) for batch in sys.argv[2:]])
