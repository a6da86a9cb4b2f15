"""The queue function on a real PostgreSQL: redelivery, poison, faults in the middle, cost in statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from chalicelib.applying import BACKOFF_CAP_SECONDS
from chalicelib.fulfilment import fulfil
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.queries import QUERIES
from chalicelib.model import DeadLetterQuery, Event, OrderQuery, OrderStatus
from infra.local.layout import free_port
from tests.support.batches import (
    NotingGate,
    a_draft,
    an_order,
    an_order_of,
    batch_of,
    failures,
    ledger_at,
    message_of,
    services_with,
)
from tests.support.events import NOON
from tests.support.life import a_notice

pytestmark = pytest.mark.slow


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with ledger_at(database) as real:
        yield real


@pytest.fixture
def event(ledger: Ledger) -> Event:
    return ledger.create_event(a_draft(3))


def sold(ledger: Ledger, event: Event) -> int:
    return sum(kind.sold for kind in ledger.event(event.id).ticket_types)


def cut_connections(dsn: str) -> None:
    """Ends every other session of the database, as a failover does."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_batch_is_answered_and_its_claims_are_settled_by_their_outcome(
    ledger: Ledger, event: Event
) -> None:
    orders = [an_order(event) for _ in range(5)]
    gate = NotingGate()
    assert failures(fulfil(services_with(ledger, gate), batch_of(*orders))) == []
    assert gate.kept == [placed.order_id for placed in orders[:3]]
    assert gate.returned == [placed.order_id for placed in orders[3:]]
    assert [order.reason for order in ledger.orders(OrderQuery())] == ["sold-out"] * 2 + [None] * 3
    assert {order.decided_at for order in ledger.orders(OrderQuery())} == {NOON}


def test_a_batch_delivered_ten_times_sells_once_and_settles_the_same_each_time(
    ledger: Ledger, event: Event
) -> None:
    batch = batch_of(*(an_order(event) for _ in range(5)))
    gates = [NotingGate() for _ in range(10)]
    for gate in gates:
        assert failures(fulfil(services_with(ledger, gate), batch)) == []
    assert sold(ledger, event) == 3
    assert len(ledger.orders(OrderQuery())) == 5
    assert {(tuple(gate.kept), tuple(gate.returned)) for gate in gates} == {
        (tuple(gates[0].kept), tuple(gates[0].returned))
    }


def test_two_messages_of_one_order_in_a_batch_sell_once_and_are_both_acknowledged(
    ledger: Ledger, event: Event
) -> None:
    placed = an_order(event)
    assert failures(fulfil(services_with(ledger), batch_of(placed, placed))) == []
    assert sold(ledger, event) == 1


POISON = {
    "not JSON": "{",
    "an array": "[]",
    "an unknown schema": '"schema":2',
    "a missing field": '"currenc":"EUR"',
    "no items": '"items":[]',
    "a negative quantity": '"quantity":-1',
    "a quantity of nothing": '"quantity":0',
    "too many tickets": '"quantity":2147483648',
    "too much money": '"unitPrice":9223372036854775807,"quantity":2',
    "a negative price": '"unitPrice":-1',
    "an event id beyond the column": '"eventId":2147483648',
    "an event id below 1": '"eventId":0',
    "an id that is no UUID": '"orderId":"7"',
    "an id in capitals": '"orderId":"0197A2B0-0000-7000-8000-000000000001"',
    "a NUL in a text": '"userId":"a\\u0000b"',
    "half a surrogate pair": '"userId":"\\ud800"',
    "a NUL in a key": '"idempotencyKey":"a\\u0000b"',
    "a NUL in a digest": '"requestDigest":"\\u0000"',
    "a key too long for an index": f'"idempotencyKey":"{"🎫" * 651}"',
    "a buyer too long for an index": f'"userId":"{"🎫" * 651}"',
    "a time after the last": '"acceptedAtMs":253402300800000',
    "a time before the first": '"acceptedAtMs":-1',
}


def poisoned(body: str, fault: str) -> str:
    """Replaces the field that `fault` names; a fault that is no field is the whole body."""
    if not fault.startswith('"'):
        return fault
    name = {"currenc": "currency"}.get(fault.split('"')[1], fault.split('"')[1])
    start = body.index(f'"{name}":')
    value_end = (
        body.index("]", start) + 1
        if name == "items"
        else min(at for at in (body.find(",", start), body.find("}", start)) if at > 0)
    )
    return body[:start] + fault + body[value_end:]


@pytest.mark.parametrize("fault", POISON.values(), ids=POISON.keys())
def test_a_poison_record_fails_alone(ledger: Ledger, event: Event, fault: str) -> None:
    body = poisoned(message_of(an_order(event, key="k")), fault)
    batch = batch_of(an_order(event), body, an_order(event))
    assert failures(fulfil(services_with(ledger), batch)) == ["m1"]
    assert sold(ledger, event) == 2


def test_the_limits_of_what_a_message_may_hold_can_be_stored(ledger: Ledger) -> None:
    placed = replace(
        an_order_of(2**31 - 1, (2**63, 2**31 - 1), user="🎫" * 300), accepted_at_ms=253_402_300_799_999
    )
    free = replace(placed, items=tuple(replace(item, unit_price=0) for item in placed.items))
    assert failures(fulfil(services_with(ledger), batch_of(free))) == []
    found = ledger.order(free.order_id)
    assert found is not None
    assert found.items == free.items


def test_orders_of_an_event_with_a_hold_are_reserved_and_their_claims_kept(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3, hold_seconds=60))
    orders = [an_order(event) for _ in range(5)]
    gate = NotingGate()
    assert failures(fulfil(services_with(ledger, gate), batch_of(*orders))) == []
    assert gate.kept == [placed.order_id for placed in orders[:3]]
    (kind,) = ledger.event(event.id).ticket_types
    assert (kind.sold, kind.reserved) == (0, 3)
    found = ledger.order(orders[0].order_id)
    assert found is not None
    assert (found.status, found.expires_at) == (OrderStatus.RESERVED, NOON + timedelta(seconds=60))


def test_orders_that_were_cancelled_or_expired_give_their_claims_back_when_their_message_comes(
    ledger: Ledger,
) -> None:
    event = ledger.create_event(a_draft(9, hold_seconds=60))
    overtaken, cancelled, expired, kept = orders = [an_order(event) for _ in range(4)]
    ledger.cancel(overtaken.order_id, overtaken, NOON)
    assert failures(fulfil(services_with(ledger, NotingGate(down=[event.id])), batch_of(*orders))) != []
    ledger.cancel(cancelled.order_id, cancelled, NOON)
    ledger.pay(a_notice(kept), NOON)
    assert ledger.expire_due(NOON + timedelta(seconds=60), 9) == {event.id: 1}
    gate = NotingGate()
    assert failures(fulfil(services_with(ledger, gate), batch_of(*orders))) == []
    assert gate.kept == [kept.order_id]
    assert gate.returned == [placed.order_id for placed in (overtaken, cancelled, expired)]
    assert sold(ledger, event) == 1


def test_an_order_whose_key_is_anothers_is_rejected_and_its_claim_goes_back(
    ledger: Ledger, event: Event
) -> None:
    first, second = an_order(event, user="ann", key="k"), an_order(event, user="ann", key="k")
    gate = NotingGate()
    for placed in (first, second):
        assert failures(fulfil(services_with(ledger, gate), batch_of(placed))) == []
    assert (gate.kept, gate.returned) == ([first.order_id], [second.order_id])
    found = ledger.order(second.order_id)
    assert found is not None
    assert found.reason == "idempotency-key-reused"


def test_a_batch_without_an_order_decides_nothing_and_needs_no_ledger_to_come_again() -> None:
    assert failures(fulfil(services_with(ledger=None), batch_of("{", "["))) == ["m0", "m1"]


def test_ten_thousand_orders_are_one_decision_and_one_transaction(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(9_000))
    batch = batch_of(*(an_order(event) for _ in range(10_000)))
    assert failures(fulfil(services_with(ledger), batch)) == []
    (kind,) = ledger.event(event.id).ticket_types
    assert (kind.sold, kind.version) == (9_000, 1)
    assert failures(fulfil(services_with(ledger), batch)) == []
    assert ledger.event(event.id).ticket_types == (kind,)


@pytest.mark.parametrize("size", [1, 10, 100, 1_000])
def test_a_batch_of_any_size_costs_the_same_seven_messages_to_the_server(
    database: str, tmp_path: Path, size: int
) -> None:
    pool = Connections(database, 1, timeout_ms=10_000)
    ledger = Ledger(pool)
    event = ledger.create_event(a_draft(10_000, 10_000, max_per_buyer=2))
    batch = batch_of(*(an_order(event, kind=turn % 2) for turn in range(size)))
    sent = tmp_path / "wire"
    with sent.open("wb") as wire:
        with pool.lease() as connection:
            connection.pgconn.trace(wire.fileno())
        assert failures(fulfil(services_with(ledger), batch)) == []
        with pool.lease() as connection:
            connection.pgconn.untrace()
    pool.close()
    words = [line.split("\t") for line in sent.read_text().splitlines() if "\tF\t" in line or line[:1] == "F"]
    asked = [word for line in words for word in line if word in ("Parse", "Query", "Bind", "Execute")]
    assert asked == ["Query", *["Parse", "Bind", "Execute"] * 5, "Query"]


def test_a_connection_cut_in_the_middle_fails_the_batch_and_the_next_delivery_applies_it(
    ledger: Ledger, event: Event, database: str
) -> None:
    def cutting() -> datetime:
        cut_connections(database)
        return NOON

    batch = batch_of(an_order(event), "{", an_order(event))
    assert failures(fulfil(services_with(ledger, clock=cutting), batch)) == ["m1", "m0", "m2"]
    assert sold(ledger, event) == 0
    assert failures(fulfil(services_with(ledger), batch)) == ["m1"]
    assert sold(ledger, event) == 2


def test_a_connection_lost_after_the_commit_took_effect_sells_nothing_twice(
    ledger: Ledger, event: Event, database: str
) -> None:
    batch = batch_of(an_order(event), an_order(event))
    dying = replace(QUERIES, commit=b"COMMIT; SELECT pg_terminate_backend(pg_backend_pid())")
    with ledger_at(database, queries=dying) as lost:
        assert failures(fulfil(services_with(lost), batch)) == ["m0", "m1"]
    assert sold(ledger, event) == 2
    gate = NotingGate()
    assert failures(fulfil(services_with(ledger, gate), batch)) == []
    assert sold(ledger, event) == 2
    assert len(gate.kept) == 2


def test_a_connection_cut_while_idle_is_replaced_unnoticed(
    ledger: Ledger, event: Event, database: str
) -> None:
    cut_connections(database)
    assert failures(fulfil(services_with(ledger), batch_of(an_order(event)))) == []


def test_a_ledger_that_is_down_fails_every_record_and_settles_nothing(event: Event) -> None:
    gate = NotingGate()
    with ledger_at(f"postgresql://postgres@127.0.0.1:{free_port()}/x") as down:
        answer = fulfil(services_with(down, gate), batch_of(an_order(event), "{", an_order(event)))
    assert failures(answer) == ["m1", "m0", "m2"]
    assert gate.kept == gate.returned == []


def test_claims_that_the_gate_did_not_settle_come_again_and_the_rest_is_acknowledged(ledger: Ledger) -> None:
    one, two = ledger.create_event(a_draft(3)), ledger.create_event(a_draft(3))
    batch = batch_of(an_order(one), an_order(two), an_order(one))
    assert failures(fulfil(services_with(ledger, NotingGate(down=[one.id])), batch)) == ["m0", "m2"]
    gate = NotingGate()
    assert failures(fulfil(services_with(ledger, gate), batch)) == []
    assert len(gate.kept) == 3
    assert (sold(ledger, one), sold(ledger, two)) == (2, 1)


def test_a_batch_that_loses_every_race_fails_after_bounded_attempts(event: Event, database: str) -> None:
    pauses: list[float] = []
    losing = replace(QUERIES, sell=QUERIES.sell + b" AND false")
    with ledger_at(database, queries=losing) as loser:
        services = services_with(loser, apply_attempts=9)
        answer = fulfil(services, batch_of(an_order(event)), sleep=pauses.append, jitter=lambda: 1.0)
    assert failures(answer) == ["m0"]
    assert pauses[:3] == [0.002, 0.004, 0.008]
    assert len(pauses) == 9
    assert max(pauses) == BACKOFF_CAP_SECONDS


def test_a_bug_is_not_mistaken_for_bad_luck_and_is_recorded(event: Event, database: str) -> None:
    with ledger_at(database, queries=replace(QUERIES, sell=b"SELECT no_such_column")) as broken:
        assert failures(fulfil(services_with(broken), batch_of(an_order(event)))) == ["m0"]
        (letter,) = broken.dead_letters(DeadLetterQuery())
    assert (letter.message_id, letter.failures) == ("m0", 1)
    assert letter.reason.startswith('UndefinedColumn: column "no_such_column" does not exist')


TRAP = """
    CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.user_id LIKE 'trap%' THEN RAISE EXCEPTION 'no %', NEW.user_id; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER trap BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION trap()
"""
"""Orders that the database answers with an error that nobody has thought of."""


def test_orders_that_bring_a_bug_out_fail_alone_and_no_other_is_decided_twice(
    ledger: Ledger, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TRAP)
    event = ledger.create_event(a_draft(200))
    orders = [an_order(event, user="trap" if turn in (3, 4, 77) else None) for turn in range(100)]
    assert failures(fulfil(services_with(ledger), batch_of(*orders))) == ["m3", "m4", "m77"]
    assert sold(ledger, event) == 97
    assert {
        (letter.message_id, letter.reason.splitlines()[0])
        for letter in ledger.dead_letters(DeadLetterQuery())
    } == {(message_id, "RaiseException: no trap") for message_id in ("m3", "m4", "m77")}
