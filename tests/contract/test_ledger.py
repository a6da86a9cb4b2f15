"""What every ledger must do: the in-memory twin and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.errors import Conflict, Rejected
from chalicelib.ledger.ledger import Ledger
from chalicelib.model import Event, Item, Order, OrderPlaced, OrderQuery, OrderStatus
from chalicelib.rules import Decision, Recorded, Tally, decide
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, an_order_of, ledger_at
from tests.support.events import NOON


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | MemoryLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with ledger_at(request.getfixturevalue("database"), connections=2) as real:
        yield real


def apply(ledger: Ledger, *batch: OrderPlaced) -> Decision:
    with ledger.attempt() as attempt:
        decision = decide(batch, attempt.snapshot(batch), NOON)
        attempt.record(decision)
    return decision


def stock(ledger: Ledger, event: Event) -> list[tuple[int, int]]:
    return [(kind.sold, kind.version) for kind in ledger.event(event.id).ticket_types]


def refusal(caught: pytest.ExceptionInfo[Rejected]) -> str:
    return caught.value.code


def test_an_event_reads_back_as_it_was_created(ledger: Ledger) -> None:
    draft = a_draft(
        3,
        5,
        name='Ünal "live" \\ {1,2} 🎫',
        description="a,b",
        currency="JPY",
        starts_at=NOON,
        sales_open_at=NOON - timedelta(days=2),
        sales_close_at=NOON - timedelta(microseconds=1),
        max_per_order=4,
        max_per_buyer=6,
    )
    event = ledger.create_event(draft)
    assert ledger.event(event.id) == event
    for name in set(draft.__struct_fields__) - {"ticket_types"}:
        assert getattr(event, name) == getattr(draft, name)
    kinds = [(kind.name, kind.price, kind.capacity, kind.sold, kind.version) for kind in event.ticket_types]
    assert kinds == [("Type 1", 500, 3, 0, 0), ("Type 2", 600, 5, 0, 0)]
    assert event.version == 1
    assert event.created_at == event.updated_at
    assert event.created_at.utcoffset() == timedelta(0)


def test_ticket_types_keep_the_order_of_the_draft_and_ids_are_never_shared(ledger: Ledger) -> None:
    one, two = ledger.create_event(a_draft(1, 2, 3)), ledger.create_event(a_draft(4))
    ids = [kind.id for event in (one, two) for kind in event.ticket_types]
    assert ids == sorted(set(ids))


def test_a_missing_event_is_rejected(ledger: Ledger) -> None:
    for event_id in (1, 2**31, 10**12):
        with pytest.raises(Rejected) as caught:
            ledger.event(event_id)
        assert refusal(caught) == "event-not-found"


def test_events_are_listed_in_pages_by_id(ledger: Ledger) -> None:
    ids = [ledger.create_event(a_draft(1)).id for _ in range(5)]
    assert [event.id for event in ledger.events(after=0, limit=2)] == ids[:2]
    assert [event.id for event in ledger.events(after=ids[1], limit=9)] == ids[2:]
    assert ledger.events(after=ids[-1], limit=9) == []


def test_an_edit_changes_what_it_names_and_counts_a_version(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3, max_per_buyer=6, starts_at=NOON))
    changes = {"name": "New", "max_per_buyer": None, "sales_open_at": NOON}
    edited = ledger.update_event(event.id, 1, changes)
    assert edited == replace(event, **changes, version=2, updated_at=edited.updated_at)
    assert edited.updated_at >= event.updated_at
    assert ledger.event(event.id) == edited


def test_a_stale_edit_is_rejected_and_changes_nothing(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3))
    current = ledger.update_event(event.id, None, {"name": "First"})
    with pytest.raises(Rejected) as caught:
        ledger.update_event(event.id, 1, {"name": "Second"})
    assert refusal(caught) == "precondition-failed"
    assert ledger.event(event.id) == current


@pytest.mark.parametrize("version", [None, 1])
def test_an_edit_of_a_missing_event_is_rejected(ledger: Ledger, version: int | None) -> None:
    with pytest.raises(Rejected) as caught:
        ledger.update_event(7, version, {"name": "x"})
    assert refusal(caught) == "event-not-found"


@pytest.mark.parametrize("name", ["id", "version", "ticket_types", "created_at", "colour"])
def test_what_is_not_to_be_changed_is_not_changed(ledger: Ledger, name: str) -> None:
    event = ledger.create_event(a_draft(3))
    with pytest.raises(ValueError, match=name):
        ledger.update_event(event.id, None, {name: 1})


def test_a_confirmed_order_reads_back_whole(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3, 5))
    one, two = (kind.id for kind in event.ticket_types)
    placed = an_order_of(event.id, (one, 2), (two, 1), user='Ünal "x" \\ {NULL} 🎫')
    apply(ledger, placed)
    assert ledger.order(placed.order_id) == Order(
        id=placed.order_id,
        event_id=event.id,
        user_id=placed.user_id,
        items=(Item(one, 2, 500), Item(two, 1, 500)),
        status=OrderStatus.CONFIRMED,
        total_price=1_500,
        currency="EUR",
        accepted_at=NOON + timedelta(milliseconds=placed.accepted_at_ms - round(NOON.timestamp() * 1000)),
        decided_at=NOON,
    )
    assert stock(ledger, event) == [(2, 1), (1, 1)]


def test_a_rejected_order_is_recorded_with_its_reason_and_takes_nothing(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(1))
    placed = an_order(event, 2)
    apply(ledger, placed)
    found = ledger.order(placed.order_id)
    assert found is not None
    assert (found.status, found.reason) == (OrderStatus.REJECTED, "not-enough-tickets")
    assert stock(ledger, event) == [(0, 0)]


def test_an_order_for_a_missing_event_gets_its_answer_recorded(ledger: Ledger) -> None:
    placed = an_order_of(404, (1, 1))
    apply(ledger, placed)
    found = ledger.order(placed.order_id)
    assert found is not None
    assert found.reason == "event-not-found"


def test_an_order_that_nobody_has_decided_is_not_there(ledger: Ledger) -> None:
    assert ledger.order("0197a2b0-0000-7000-8000-000000000001") is None


def test_a_user_id_called_null_is_a_text_like_any_other(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(9))
    users = ["NULL", "null", "", " ", '"', "\\", "{}", "a,b", "'; --", "%s", "\n"]
    apply(ledger, *(an_order(event, user=user) for user in users))
    assert sorted(order.user_id for order in ledger.orders(OrderQuery())) == sorted(users)


def test_a_snapshot_tells_stock_limits_tallies_and_answers(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(10, 20, max_per_buyer=5))
    other = ledger.create_event(a_draft(30))
    sold, refused = an_order(event, 4, user="ann"), an_order(event, 2, user="ann")
    apply(ledger, sold, refused)
    unseen = an_order(event, user="bob")
    with ledger.attempt() as attempt:
        snapshot = attempt.snapshot([sold, refused, unseen, an_order(other), an_order_of(404, (1, 1))])
    assert {id_: (lot.event_id, lot.unsold, lot.version) for id_, lot in snapshot.lots.items()} == {
        event.ticket_types[0].id: (event.id, 6, 1),
        event.ticket_types[1].id: (event.id, 20, 0),
        other.ticket_types[0].id: (other.id, 30, 0),
    }
    assert snapshot.buyer_limits == {event.id: 5, other.id: None}
    assert snapshot.tallies == {(event.id, "ann"): Tally(4, 1)}
    assert snapshot.recorded == {
        sold.order_id: Recorded(OrderStatus.CONFIRMED, None),
        refused.order_id: Recorded(OrderStatus.REJECTED, "buyer-limit-exceeded"),
    }


def test_an_empty_decision_changes_nothing(ledger: Ledger) -> None:
    assert apply(ledger) == Decision((), (), (), NOON)


def test_a_batch_applied_again_changes_nothing(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(3))
    batch = [an_order(event) for _ in range(5)]
    first = apply(ledger, *batch)
    again = apply(ledger, *batch)
    assert [(o.order_id, o.status, o.reason) for o in again.outcomes] == [
        (o.order_id, o.status, o.reason) for o in first.outcomes
    ]
    assert stock(ledger, event) == [(3, 1)]


def rival_decisions(event: Event) -> list[tuple[Sequence[OrderPlaced], Sequence[OrderPlaced]]]:
    """Pairs of batches that cannot both be decided on the same snapshot."""
    twice = an_order_of(404, (1, 1))
    return [
        ([an_order(event)], [an_order(event)]),
        ([twice], [twice]),
        ([an_order(event, user="ann", kind=0)], [an_order(event, user="ann", kind=1)]),
    ]


@pytest.mark.parametrize("case", [0, 1, 2], ids=["ticket type", "order", "tally"])
def test_a_decision_on_an_old_snapshot_conflicts_and_leaves_nothing(ledger: Ledger, case: int) -> None:
    event = ledger.create_event(a_draft(5, 5, max_per_buyer=5))
    early, late = rival_decisions(event)[case]

    def overtaken() -> None:
        with ledger.attempt() as attempt:
            decision = decide(late, attempt.snapshot(late), NOON)
            apply(ledger, *early)
            attempt.record(decision)

    with pytest.raises(Conflict):
        overtaken()
    assert sum(kind.sold for kind in ledger.event(event.id).ticket_types) == (case != 1)
    assert {order.id for order in ledger.orders(OrderQuery())} == {placed.order_id for placed in early}


def test_an_attempt_that_fails_leaves_nothing(ledger: Ledger) -> None:
    event = ledger.create_event(a_draft(5))
    placed = an_order(event)

    def broken_off() -> None:
        with ledger.attempt() as attempt:
            attempt.record(decide([placed], attempt.snapshot([placed]), NOON))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert ledger.order(placed.order_id) is None
    assert stock(ledger, event) == [(0, 0)]


def test_orders_are_listed_newest_first_by_event_buyer_status_and_page(ledger: Ledger) -> None:
    event, other = ledger.create_event(a_draft(3)), ledger.create_event(a_draft(3))
    batch = [an_order(event, user="ann"), an_order(other, user="ann"), an_order(event, 9, user="bob")]
    apply(ledger, *batch)
    a, b, c = (placed.order_id for placed in batch)

    def ids(query: OrderQuery) -> list[str]:
        return [order.id for order in ledger.orders(query)]

    assert ids(OrderQuery()) == [c, b, a]
    assert ids(OrderQuery(event_id=event.id)) == [c, a]
    assert ids(OrderQuery(user_id="ann")) == [b, a]
    assert ids(OrderQuery(status=OrderStatus.REJECTED)) == [c]
    assert ids(OrderQuery(status=OrderStatus.PENDING)) == []
    assert ids(OrderQuery(user_id="ann", event_id=event.id)) == [a]
    assert ids(OrderQuery(before=c, limit=1)) == [b]
    assert ids(OrderQuery(event_id=10**12)) == []


def test_a_ledger_that_is_there_answers_a_ping(ledger: Ledger) -> None:
    ledger.ping()
