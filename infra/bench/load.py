"""Measures the running service under load: sold-out answers, and orders accepted and confirmed.

The crowd and its audit are the simulator's (infra/rush); CPU is read by part while it asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import msgspec
import psycopg

from chalicelib.identity.principal import Role
from infra.bench import limits
from infra.bench.cpu import Meter, micros_each
from infra.bench.figures import EndToEnd, SoldOut
from infra.bench.own_stack import BUYER, BenchFault, OwnStack
from infra.local import sqs
from infra.rush import http
from infra.rush.hammer import Hammered, hammer
from infra.rush.ledger import read_ledger
from infra.rush.plan import RushPlan
from infra.rush.rush import as_staff, run_rush
from infra.rush.service import Service

CONNECTIONS = 32
WARM_UP_ORDERS = 200
DECIDED_SECONDS = 30.0
LOOK_SECONDS = 0.1

# A backend reports its counters at most once a second: a service that asked PostgreSQL for each answer
# would still show by thousands.
TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


def make_event(stack: OwnStack, tickets: int) -> int:
    """Creates an event with one ticket type and no rate limit (one buyer asks for ever); returns its id."""
    service = Service(as_staff(http.address(stack.url), stack.passes))
    try:
        return service.create_event("Bench", tickets, buyerRateLimit=None).id
    finally:
        service.close()


def until_decided(stack: OwnStack, event_id: int) -> None:
    """Waits until no order of the event is pending. Raises BenchFault after half a minute."""
    service = Service(as_staff(http.address(stack.url), stack.passes))
    until = time.monotonic() + DECIDED_SECONDS
    try:
        while service.some_pending(event_id):
            if time.monotonic() > until:
                raise BenchFault(f"orders of event {event_id} were not decided in {DECIDED_SECONDS} s")
            time.sleep(LOOK_SECONDS)
    finally:
        service.close()


def sold_out_event(stack: OwnStack) -> int:
    """Creates an event of one ticket and sells it; returns the event's id."""
    event_id = make_event(stack, 1)
    bought = hammer(stack.url, "/orders", _order(event_id), concurrency=1, count=1, token=_token(stack))
    if bought.codes != {"202": 1}:
        raise BenchFault(f"the only ticket was not sold: {bought.codes}")
    until_decided(stack, event_id)
    return event_id


def measure_sold_out(stack: OwnStack, event_id: int, seconds: float, times: int = 3) -> SoldOut:
    """Refusals a second over CONNECTIONS connections, the median of `times` repetitions, beside EVALSHA's.

    Raises BenchFault when anything but `sold-out` is answered.
    """
    limit = limits.raw_evalsha(stack.settings, event_id, seconds, times)
    ask = partial(
        hammer, stack.url, "/orders", _order(event_id), concurrency=CONNECTIONS, token=_token(stack)
    )
    ask(seconds=min(seconds, 0.5))
    meter = Meter(stack.state)
    touched, cpu = _touched(stack), meter.read()
    runs = [_all_sold_out(ask(seconds=seconds)) for _ in range(times)]
    used, touched_now = meter.read(), _touched(stack)
    answers = sum(run.answers for run in runs)
    typical = sorted(runs, key=lambda run: run.answers_per_second)[len(runs) // 2]
    if typical.answer_ms is None:
        raise BenchFault("there was no answer")
    return SoldOut(
        raw_evalsha_per_second=round(limit, 1),
        answers_per_second=typical.answers_per_second,
        answer_ms=typical.answer_ms,
        answers=answers,
        transactions=touched_now[0] - touched[0],
        messages=touched_now[1] - touched[1],
        cpu_micros={
            **micros_each(cpu, used, answers),
            "crowd": round(median(run.cpu_micros for run in runs), 1),
        },
    )


def measure_end_to_end(stack: OwnStack, orders: int, seconds: float, times: int = 3) -> EndToEnd:
    """One rush of `orders` orders for as many tickets, beside what the queue takes at most.

    `seconds` and `times` are for the sends alone. Raises BenchFault when the audit fails.
    """
    limit = limits.raw_sends(stack.settings, seconds, times)
    reader = partial(read_ledger, stack.dsn)
    rush = partial(run_rush, read_ledger=reader, passes=stack.passes)
    rush(_plan(stack, min(WARM_UP_ORDERS, orders)))
    watch = _Watch(Meter(stack.state).read)
    result = rush(_plan(stack, orders), steps=watch)
    if not result.audit.passed or result.confirmed != orders:
        broken = [check.promise for check in result.audit.checks if not check.passed]
        raise BenchFault(f"{result.confirmed} of {orders} orders were confirmed; broken: {broken}")
    if result.accept_ms is None or result.decide_ms is None or result.decided_soon_share is None:
        raise BenchFault("there was no answer")
    return EndToEnd(
        orders=orders,
        raw_sends_per_second=round(limit, 1),
        accepted_per_second=result.accepted_per_second,
        confirmed_per_second=result.decided_per_second,
        accept_ms=result.accept_ms,
        decide_ms=result.decide_ms,
        decided_soon_share=result.decided_soon_share,
        cpu_micros={**watch.micros_each(orders), "crowd": result.crowd_cpu_micros},
    )


class _Watch:
    """Hears from the rush when its orders begin and when the last one is decided, and reads CPU then."""

    def __init__(self, read: Callable[[], dict[str, float]]) -> None:
        self._read = read
        self._decisions = 0
        self._before: dict[str, float] = {}
        self._after: dict[str, float] = {}

    def begin(self, step: str, total: int) -> None:
        if step == "orders":
            self._before = self._read()
        else:
            self._decisions = total

    def at(self, done: int) -> None:
        if self._decisions and done >= self._decisions and not self._after:
            self._after = self._read()

    def micros_each(self, count: int) -> dict[str, float]:
        return micros_each(self._before, self._after or self._read(), count)


def _plan(stack: OwnStack, orders: int) -> RushPlan:
    return RushPlan(url=stack.url, tickets=orders, buyers=orders, concurrency=CONNECTIONS, sample_every=0)


def _order(event_id: int) -> bytes:
    return msgspec.json.encode({"eventId": event_id, "quantity": 1, "userId": BUYER})


def _token(stack: OwnStack) -> str:
    return stack.passes(BUYER, Role.BUYER)


def _all_sold_out(run: Hammered) -> Hammered:
    if set(run.codes) != {"sold-out"} or run.unknown:
        raise BenchFault(f"not only sold-out was answered: {run.codes}, {run.unknown} unknown")
    return run


def _touched(stack: OwnStack) -> tuple[int, int]:
    """Transactions that PostgreSQL has counted in the ledger so far, and messages on the order queue."""
    with psycopg.connect(stack.dsn, connect_timeout=5) as connection:
        row = connection.execute(TRANSACTIONS).fetchone()
    if row is None:
        raise BenchFault("PostgreSQL does not count transactions")
    return int(row[0]), sum(sqs.waiting(stack.settings.order_queue_url))
