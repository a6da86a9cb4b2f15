"""Payment, expiry, cancellation and fulfilment at the same moment, on a real PostgreSQL.

Every control runs the same race with a ledger that is unsafe on purpose, and must be caught. The last
lines of defence (constraints) are taken away for a control, and tested by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from random import Random
from threading import Barrier

import psycopg
import pytest
from msgspec.structs import replace

from chalicelib.errors import Rejected
from chalicelib.fulfilment import fulfil
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.queries import QUERIES, Queries
from chalicelib.model import Event, LatePayment, OrderPlaced, OrderStatus, Payment, PaymentState
from tests.support.batches import (
    NotingGate,
    a_draft,
    an_order,
    batch_of,
    edited,
    failures,
    ledger_at,
    services_with,
)
from tests.support.events import NOON
from tests.support.life import EVERYTHING, a_notice, applied, balance, status_of

pytestmark = pytest.mark.slow

HOLD = 600
IN_TIME, LATE = NOON + timedelta(seconds=HOLD - 1), NOON + timedelta(seconds=HOLD)
ORDERS = 40


SLOW = replace(
    QUERIES,
    change_order=edited(
        QUERIES.change_order, b"WHERE ", b"FROM (SELECT 1 FROM pg_sleep(0.01)) AS nap WHERE "
    ),
)
"""As shipped, but whoever has read an order takes ten milliseconds to change it: room for everybody else."""

STATUS_NOT_COMPARED = replace(
    SLOW,
    change_order=edited(SLOW.change_order, b" AND status = %(before)s", b""),
    lock_order=edited(QUERIES.lock_order, b"FOR NO KEY UPDATE OF orders", b""),
)
"""Reads an order, decides and writes, and never asks whether it has changed."""

NOT_TAKEN = replace(
    QUERIES,
    expire_orders=edited(
        edited(QUERIES.expire_orders, b"FOR NO KEY UPDATE SKIP LOCKED", b""),
        b"FROM due",
        b"FROM due CROSS JOIN (SELECT 1 FROM pg_sleep(0.01)) AS nap",
    ),
)
"""Expires what it found due a moment ago, whoever has it now."""

OVERWRITES = replace(
    QUERIES,
    record_orders=edited(
        QUERIES.record_orders,
        b"ON CONFLICT DO NOTHING",
        b"ON CONFLICT (id) DO UPDATE SET status = excluded.status",
    ),
    record_tallies=edited(QUERIES.record_tallies, b"WHERE tally.version = excluded.version - 1", b""),
)
"""Records its answer over one that is there already, and over what has moved the buyer's tally since."""

COUNTED_FROM_MEMORY = replace(
    SLOW,
    move_tallies=edited(
        edited(
            edited(QUERIES.move_tallies, b"  FOR NO KEY UPDATE OF tallies\n", b""),
            b"greatest(0, tallies.given_back + moves.given_back)",
            b"moves.had + moves.given_back",
        ),
        b"asked.quantity, asked.given_back\n",
        b"asked.quantity, asked.given_back, tallies.given_back AS had, pg_sleep(0.01)\n",
    ),
)
"""Writes down one more than it had read a moment ago, whoever has counted since."""

TALLY_NOT_COMPARED = replace(
    QUERIES,
    record_tallies=edited(QUERIES.record_tallies, b"WHERE tally.version = excluded.version - 1", b""),
)
"""Sells to a buyer without asking whether the buyer's tally is as it was read."""

CONSTRAINTS = (
    "ALTER TABLE ticket_types DROP CONSTRAINT never_oversold",
    "ALTER TABLE tallies DROP CONSTRAINT tallies_quantity_check",
    "ALTER TABLE orders DROP CONSTRAINT a_hold_has_an_end",
    "DROP INDEX one_payment_applied",
)


def run(*statements: str, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def at_once(*works: Callable[[], None]) -> None:
    """Starts each in a thread of its own at the same moment; raises what one of them raised."""
    ready = Barrier(len(works))

    def start(work: Callable[[], None]) -> None:
        ready.wait(timeout=10)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(start, works))


def on_hold(ledger: Ledger, orders: int = ORDERS, **terms: object) -> tuple[Event, list[OrderPlaced]]:
    """An event whose every ticket is reserved, each by a buyer of its own."""
    event = ledger.create_event(a_draft(orders, hold_seconds=HOLD, max_per_buyer=1, **terms))
    placed = [an_order(event) for _ in range(orders)]
    applied(ledger, *placed, now=NOON)
    return event, placed


def pay_against_expiry(dsn: str, payer: Queries, expirer: Queries = QUERIES) -> None:
    """Each order is paid in its last second by one thread and expired by another; one of the two wins."""
    with ledger_at(dsn, queries=payer) as paying, ledger_at(dsn, queries=expirer) as expiring:
        event = paying.create_event(a_draft(ORDERS, hold_seconds=HOLD, max_per_buyer=1))
        winners: Counter[str] = Counter()
        for turn in range(ORDERS):
            order, later = an_order(event), timedelta(seconds=turn)
            applied(paying, order, now=NOON + later)
            winners.update(duel(paying, expiring, order, later, head_start=turn % 8))
        balance(paying, event)
        assert winners["payment"] + winners["expiry"] == ORDERS
        assert min(winners["payment"], winners["expiry"]) > 0, "no race"


def duel(
    paying: Ledger, expiring: Ledger, order: OrderPlaced, later: timedelta, head_start: int
) -> list[str]:
    """Who won; the payment has a head start of so many round trips."""
    winners: list[str] = []

    def pay() -> None:
        if paying.pay(a_notice(order), IN_TIME + later).state is PaymentState.APPLIED:
            winners.append("payment")

    def expire() -> None:
        for _ in range(head_start):
            expiring.ping()
        winners.extend(["expiry"] * expiring.expire_due(LATE + later, ORDERS).get(order.event_id, 0))

    at_once(pay, expire)
    assert len(winners) == 1, "an order was paid and expired, or neither"
    won = OrderStatus.CONFIRMED if winners == ["payment"] else OrderStatus.EXPIRED
    assert status_of(paying, order) is won, "the answers and the order disagree"
    return winners


def two_payments(dsn: str, queries: Queries) -> None:
    """Two references pay one order at the same moment, for many orders."""
    with ledger_at(dsn, connections=2, queries=queries) as ledger:
        event, placed = on_hold(ledger, 10)
        for order in placed:
            states: list[PaymentState] = []

            def pay(order: OrderPlaced = order, states: list[PaymentState] = states) -> None:
                states.append(ledger.pay(a_notice(order), IN_TIME).state)

            at_once(pay, pay)
            assert sorted(states) == [PaymentState.APPLIED, PaymentState.REFUND_DUE], "paid twice"
        balance(ledger, event)


def two_expirers(dsn: str, queries: Queries) -> None:
    """Two workers expire the same orders, a few at a time."""
    with ledger_at(dsn, connections=2, queries=queries) as ledger:
        event, placed = on_hold(ledger)
        counted: Counter[int] = Counter()

        def expire() -> None:
            while found := ledger.expire_due(LATE, 3):
                counted.update(found)

        at_once(expire, expire)
        assert counted == {event.id: len(placed)}, "an order expired twice, or not at all"
        balance(ledger, event)


def two_cancels(dsn: str, queries: Queries) -> None:
    """A buyer cancels twice at the same moment; the tickets come back once."""
    with ledger_at(dsn, connections=2, queries=queries) as ledger:
        event, placed = on_hold(ledger, 10)
        for order in placed:

            def cancel(order: OrderPlaced = order) -> None:
                ledger.cancel(order.order_id, None, IN_TIME)

            at_once(cancel, cancel)
        balance(ledger, event)


def everybody_gives_back(dsn: str, queries: Queries) -> None:
    """One buyer's orders are paid, expired and cancelled at the same moment, some twice, some undecided."""
    with ledger_at(dsn, connections=6, queries=queries) as ledger:
        event = ledger.create_event(a_draft(ORDERS, hold_seconds=HOLD))
        placed = [an_order(event, user="ann") for _ in range(ORDERS)]
        decided = placed[: ORDERS // 2]
        applied(ledger, *decided, now=NOON)

        def cancel() -> None:
            for order in reversed(placed):
                with suppress(Rejected):  # it has expired
                    ledger.cancel(order.order_id, order, IN_TIME)

        def pay() -> None:
            for order in decided:
                ledger.pay(a_notice(order), IN_TIME)

        def expire() -> None:
            while ledger.expire_due(LATE, 2):
                pass

        at_once(cancel, cancel, pay, expire)
        balance(ledger, event)


def give_back_during_a_decision(dsn: str, queries: Queries) -> None:
    """A buyer gives an order back after the next one's snapshot was taken, and before it is decided."""
    with ledger_at(dsn, queries=queries) as deciding, ledger_at(dsn) as cancelling:
        event = deciding.create_event(a_draft(1, 1, hold_seconds=HOLD, max_cancellations=1))
        first, second = (an_order(event, user="ann", kind=kind) for kind in range(2))
        applied(deciding, first, now=NOON)
        cancels = iter([partial(cancelling.cancel, first.order_id, None, IN_TIME)])

        def clock() -> datetime:
            for cancel in cancels:
                cancel()
            return NOON

        assert failures(fulfil(services_with(deciding, clock=clock), batch_of(second))) == []
        assert status_of(deciding, second) is OrderStatus.REJECTED, "bought after giving back too much"
        balance(deciding, event)


def cancel_against_fulfilment(dsn: str, queries: Queries, turns: int = 15) -> None:
    """Orders are cancelled between the snapshot and the record of their batch, and during the record."""
    with ledger_at(dsn, queries=queries) as deciding, ledger_at(dsn) as cancelling:
        event = deciding.create_event(a_draft(1_000, max_per_buyer=1))
        for turn in range(turns):
            placed = [an_order(event) for _ in range(6)]
            gate, decided = NotingGate(), Barrier(2)

            def work(placed: Sequence[OrderPlaced], gate: NotingGate, decided: Barrier) -> None:
                services = services_with(deciding, gate, clock=meeting(decided, times=2))
                assert failures(fulfil(services, batch_of(*placed))) == []

            def cancel(placed: Sequence[OrderPlaced], decided: Barrier, turn: int) -> None:
                decided.wait(timeout=10)
                for place, order in enumerate(Random(turn).sample(placed, 4)):
                    if place == 2:
                        decided.wait(timeout=10)
                    answer, _ = cancelling.cancel(order.order_id, order, NOON)
                    assert answer.status is OrderStatus.CANCELLED

            at_once(
                lambda: work(placed, gate, decided),  # noqa: B023 - both end within this turn
                lambda: cancel(placed, decided, turn),  # noqa: B023
            )
            cancelled = {order.order_id for order in Random(turn).sample(placed, 4)}
            statuses = {order.order_id: status_of(deciding, order) for order in placed}
            assert {order_id for order_id, status in statuses.items() if status is OrderStatus.CANCELLED} == (
                cancelled
            ), "a cancelled order came back"
            assert set(gate.kept) | set(gate.returned) == set(statuses)
            assert set(gate.returned) <= cancelled, "a claim was returned for an order that has its tickets"
        balance(deciding, event)


def meeting(barrier: Barrier, times: int = 1) -> Callable[[], datetime]:
    """A clock that waits at the barrier when first asked: between the snapshot and the decision."""
    waits = iter([barrier.wait] * times)

    def clock() -> datetime:
        for wait in waits:
            wait(timeout=10)
        return NOON

    return clock


def one_key_in_two_batches(dsn: str) -> None:
    """A buyer's key comes with orders of two events, decided at the same moment."""
    with ledger_at(dsn) as ledger:
        events = [ledger.create_event(a_draft(100, hold_seconds=hold)) for hold in (0, HOLD)]
        for turn in range(10):
            pair = [an_order(event, user=f"buyer {turn}", key=f"key {turn}") for event in events]
            decided = Barrier(2)

            def work(placed: OrderPlaced, decided: Barrier = decided) -> None:
                with ledger_at(dsn) as own:
                    services = services_with(own, clock=meeting(decided))
                    assert failures(fulfil(services, batch_of(placed))) == []

            at_once(*(lambda placed=placed: work(placed) for placed in pair))
            reasons = sorted(str(order.reason) for order in ledger.orders(EVERYTHING)[:2])
            assert reasons == ["None", "idempotency-key-reused"], "one key, two orders"
            keyed = ledger.order_by_key(f"buyer {turn}", f"key {turn}")
            assert keyed is not None
            assert keyed[0].reason is None
        for event in events:
            balance(ledger, event)


def test_an_order_paid_while_it_expires_is_confirmed_or_expired_and_never_both(database: str) -> None:
    pay_against_expiry(database, SLOW)


def test_control_a_payment_that_compares_no_status_is_caught(database: str) -> None:
    run(*CONSTRAINTS, dsn=database)
    with pytest.raises(AssertionError, match=r"disagree|expired, or neither"):
        pay_against_expiry(database, STATUS_NOT_COMPARED)


def test_control_an_expiry_that_takes_no_order_before_it_ends_it_is_caught(database: str) -> None:
    run(*CONSTRAINTS, dsn=database)
    with pytest.raises(AssertionError, match=r"disagree|expired, or neither"):
        pay_against_expiry(database, QUERIES, NOT_TAKEN)


def test_two_payments_of_one_order_are_one_confirmation_and_one_refund(database: str) -> None:
    two_payments(database, SLOW)


def test_control_two_payments_without_a_compared_status_are_caught(database: str) -> None:
    run(*CONSTRAINTS, dsn=database)
    with pytest.raises(AssertionError, match="paid twice"):
        two_payments(database, STATUS_NOT_COMPARED)


def test_control_the_index_stops_a_second_payment_as_the_last_line(database: str) -> None:
    run(CONSTRAINTS[0], dsn=database)
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_payment_applied"):
        two_payments(database, STATUS_NOT_COMPARED)


def test_one_reference_sent_eight_times_at_once_is_one_payment(database: str) -> None:
    with ledger_at(database, connections=8, queries=SLOW) as ledger:
        event, (order, _) = on_hold(ledger, 2)
        notice, answers = a_notice(order), list[Payment]()
        at_once(*[lambda: answers.append(ledger.pay(notice, IN_TIME))] * 8)
        assert {answer.state for answer in answers} == {PaymentState.APPLIED}
        assert ledger.payments(None, None, 9) == answers[:1]
        balance(ledger, event)


def test_two_workers_expire_each_order_once(database: str) -> None:
    two_expirers(database, QUERIES)


def test_control_expiry_by_two_workers_that_take_no_order_is_caught(database: str) -> None:
    run(*CONSTRAINTS, dsn=database)
    with pytest.raises(AssertionError, match="expired twice"):
        two_expirers(database, NOT_TAKEN)


def test_control_the_constraint_stops_a_second_expiry_as_the_last_line(database: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        two_expirers(database, NOT_TAKEN)


def test_an_order_cancelled_twice_at_once_gives_its_tickets_back_once(database: str) -> None:
    two_cancels(database, SLOW)


def test_control_cancelling_without_a_compared_status_is_caught(database: str) -> None:
    run(*CONSTRAINTS, dsn=database)
    with pytest.raises(AssertionError, match="the counters and the orders disagree"):
        two_cancels(database, STATUS_NOT_COMPARED)


def test_orders_given_back_at_once_are_each_counted_once(database: str) -> None:
    everybody_gives_back(database, SLOW)


def test_control_a_count_that_is_not_taken_before_it_is_moved_is_caught(database: str) -> None:
    with pytest.raises(AssertionError, match="the tallies and the orders given back disagree"):
        everybody_gives_back(database, COUNTED_FROM_MEMORY)


def test_an_order_given_back_while_the_next_is_decided_counts_against_it(database: str) -> None:
    give_back_during_a_decision(database, QUERIES)


def test_control_a_decision_on_a_tally_that_has_moved_is_caught(database: str) -> None:
    with pytest.raises(AssertionError, match="bought after giving back too much"):
        give_back_during_a_decision(database, TALLY_NOT_COMPARED)


def test_an_order_cancelled_while_it_is_decided_stays_cancelled_and_holds_nothing(database: str) -> None:
    cancel_against_fulfilment(database, QUERIES)


def test_control_a_decision_that_overwrites_a_cancellation_is_caught(database: str) -> None:
    with pytest.raises(AssertionError, match="a cancelled order came back"):
        cancel_against_fulfilment(database, OVERWRITES)


def test_a_key_in_two_batches_at_once_is_one_order(database: str) -> None:
    one_key_in_two_batches(database)


def test_control_keys_without_their_index_are_caught(database: str) -> None:
    run("DROP INDEX orders_by_key", dsn=database)
    with pytest.raises(AssertionError, match="one key, two orders"):
        one_key_in_two_batches(database)


def test_everything_at_once_keeps_the_books_and_causes_no_deadlock(database: str) -> None:
    choice = LatePayment.ACCEPT_IF_AVAILABLE
    with ledger_at(database, connections=6) as ledger:
        draft = a_draft(60, 60, hold_seconds=HOLD, max_per_buyer=3, late_payment=choice)
        events = [ledger.create_event(draft) for _ in range(2)]
        random = Random(7)
        placed = [
            an_order(random.choice(events), kind=random.randrange(2), user=f"buyer {random.randrange(60)}")
            for _ in range(400)
        ]

        def buyers(share: int) -> Callable[[], None]:
            mine, dice = placed[share::3], Random(share)

            def live() -> None:
                for at in range(0, len(mine), 10):
                    services = services_with(ledger)
                    assert failures(fulfil(services, batch_of(*mine[at : at + 10]))) == []
                    for order in dice.sample(mine[: at + 10], 8):
                        one_step(ledger, order, dice)

            return live

        def clerk() -> None:
            for _ in range(60):
                ledger.expire_due(LATE, 2)

        at_once(buyers(0), buyers(1), buyers(2), clerk, clerk)
        for event in events:
            balance(ledger, event)
        statuses = Counter(status_of(ledger, order) for order in placed)
    assert {OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.EXPIRED} <= set(statuses)
    with psycopg.connect(database) as connection:
        asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert connection.execute(asked).fetchone() == (0,)


def one_step(ledger: Ledger, order: OrderPlaced, dice: Random) -> None:
    """Pays the order, in time or late, or cancels it."""
    if dice.random() < 0.7:
        ledger.pay(a_notice(order), dice.choice((IN_TIME, LATE)))
        return
    try:
        ledger.cancel(order.order_id, None, IN_TIME)
    except Rejected as refused:
        assert refused.code in ("order-not-cancellable", "order-not-found")  # noqa: PT017
