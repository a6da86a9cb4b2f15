"""Who gets what: promises that hold for every batch and every snapshot."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.model import Item, OrderPlaced, OrderStatus
from chalicelib.rules import BuyerTally, Decision, Lot, Recorded, Sale, Snapshot, Tally, decide
from tests.support.events import NOON

EVENTS, TYPES, BUYERS = (1, 2, 3), (11, 12, 21, 31), ("ann", "bob", "cy")
KEYS = ("j", "k")
NOWHERE = 4


def an_order(
    name: str,
    *lines: tuple[int, int],
    event_id: int = 1,
    user: str = "ann",
    at: int = 0,
    key: str | None = None,
) -> OrderPlaced:
    items = tuple(Item(type_id, quantity, 500) for type_id, quantity in lines)
    return OrderPlaced(
        schema=1,
        order_id=name,
        event_id=event_id,
        user_id=user,
        currency="EUR",
        items=items,
        accepted_at_ms=at,
        idempotency_key=key,
    )


def a_snapshot(unsold: dict[int, int], limit: int | None = None, **more: object) -> Snapshot:
    lots = {type_id: Lot(type_id // 10, left, 7) for type_id, left in unsold.items()}
    limits = {lot.event_id: limit for lot in lots.values()}
    fields: dict[str, object] = {"lots": lots, "buyer_limits": limits}
    fields |= {name: {} for name in ("hold_seconds", "cancellation_limits", "tallies", "recorded", "keys")}
    return Snapshot(**(fields | more))  # type: ignore[arg-type]


def answers(decision: Decision) -> dict[str, str]:
    return {outcome.order_id: outcome.reason or outcome.status.value for outcome in decision.outcomes}


lines = st.lists(st.tuples(st.sampled_from((*TYPES, 99)), st.integers(1, 5)), min_size=1, max_size=3)
orders = st.builds(
    lambda number, lines, event_id, user, at, key: an_order(
        f"order {number}", *lines, event_id=event_id, user=user, at=at, key=key
    ),
    st.integers(0, 9),
    lines,
    st.sampled_from((*EVENTS, NOWHERE)),
    st.sampled_from(BUYERS),
    st.integers(0, 5),
    st.none() | st.sampled_from(KEYS),
)
batches = st.lists(orders, max_size=8)
tallies = st.dictionaries(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from(BUYERS)),
    st.builds(Tally, st.integers(0, 6), st.integers(1, 9), st.integers(0, 3)),
    max_size=3,
)
recorded = st.dictionaries(
    st.integers(0, 9).map("order {}".format),
    st.sampled_from(
        (
            Recorded(OrderStatus.CONFIRMED, None),
            Recorded(OrderStatus.REJECTED, "sold-out"),
            Recorded(OrderStatus.CANCELLED, None),
        )
    ),
    max_size=2,
)
snapshots = st.builds(
    lambda unsold, limits, holds, most, tallies, recorded, keys: Snapshot(
        lots={type_id: Lot(type_id // 10, left, left) for type_id, left in unsold.items()},
        buyer_limits=limits,
        hold_seconds=holds,
        cancellation_limits=most,
        tallies=tallies,
        recorded=recorded,
        keys=keys,
    ),
    st.fixed_dictionaries({type_id: st.integers(0, 12) for type_id in TYPES}),
    st.fixed_dictionaries({event_id: st.none() | st.integers(1, 8) for event_id in EVENTS}),
    st.dictionaries(st.sampled_from(EVENTS), st.sampled_from((60, 900))),
    st.dictionaries(st.sampled_from(EVENTS), st.integers(1, 3)),
    tallies,
    recorded,
    st.dictionaries(
        st.tuples(st.sampled_from(BUYERS), st.sampled_from(KEYS)), st.just("order 77"), max_size=2
    ),
)


def freshly_kept(decision: Decision) -> list[OrderPlaced]:
    return [outcome.placed for outcome in decision.outcomes if outcome.kept and not outcome.known]


@given(batches, snapshots)
def test_no_type_is_sold_beyond_what_is_unsold_and_every_sale_is_a_confirmed_order(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    decision = decide(batch, snapshot, NOON)
    wanted: Counter[int] = Counter()
    for placed in freshly_kept(decision):
        for item in placed.items:
            wanted[item.ticket_type_id] += item.quantity
    assert {sale.ticket_type_id: sale.quantity for sale in decision.sales} == dict(wanted)
    for sale in decision.sales:
        lot = snapshot.lots[sale.ticket_type_id]
        assert 0 < sale.quantity <= lot.unsold
        assert sale.version == lot.version


@given(batches, snapshots)
def test_no_buyer_goes_over_the_limit_and_tallies_grow_by_what_was_confirmed(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    decision = decide(batch, snapshot, NOON)
    bought: Counter[tuple[int, str]] = Counter()
    for placed in freshly_kept(decision):
        bought[placed.event_id, placed.user_id] += placed.quantity
    assert {(tally.event_id, tally.user_id) for tally in decision.tallies} == set(bought)
    for tally in decision.tallies:
        buyer = (tally.event_id, tally.user_id)
        before = snapshot.tallies.get(buyer, Tally(0, 0))
        limit = snapshot.buyer_limits[tally.event_id]
        assert (tally.quantity, tally.version) == (before.quantity + bought[buyer], before.version)
        assert limit is None or tally.quantity <= limit


@given(batches, snapshots)
def test_every_order_gets_exactly_one_answer_and_a_reason_if_and_only_if_it_is_rejected(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    decision = decide(batch, snapshot, NOON)
    assert sorted(outcome.order_id for outcome in decision.outcomes) == sorted(
        {order.order_id for order in batch}
    )
    for outcome in decision.outcomes:
        assert (outcome.status is OrderStatus.REJECTED) == (outcome.reason is not None)
        assert outcome.known == (outcome.order_id in snapshot.recorded)


@given(batches, snapshots)
def test_an_order_with_a_recorded_answer_gets_it_again_and_takes_nothing(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    everything = {order.order_id: Recorded(OrderStatus.CONFIRMED, None) for order in batch}
    decision = decide(batch, replace(snapshot, recorded=everything), NOON)
    assert all(outcome.known and outcome.kept for outcome in decision.outcomes)
    assert (decision.sales, decision.tallies) == ((), ())


@given(batches, snapshots, st.randoms(use_true_random=False))
def test_neither_the_order_of_records_nor_a_copy_changes_a_decision(
    batch: list[OrderPlaced], snapshot: Snapshot, random: Random
) -> None:
    distinct = list({order.order_id: order for order in batch}.values())
    shuffled = distinct * 3
    random.shuffle(shuffled)
    assert decide(shuffled, snapshot, NOON) == decide(distinct, snapshot, NOON)


@given(batches, snapshots)
def test_deciding_again_after_recording_repeats_every_answer(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    first = decide(batch, snapshot, NOON)
    again = decide(batch, after(first, snapshot), NOON + timedelta(seconds=1))
    assert answers(again) == answers(first)
    assert again.sales == ()


@given(batches, batches, snapshots)
def test_two_batches_one_after_the_other_sell_no_more_than_there_is(
    first: list[OrderPlaced], second: list[OrderPlaced], snapshot: Snapshot
) -> None:
    middle = after(decide(first, snapshot, NOON), snapshot)
    end = after(decide(second, middle, NOON), middle)
    assert all(0 <= lot.unsold <= snapshot.lots[type_id].unsold for type_id, lot in end.lots.items())


@given(batches, snapshots)
def test_a_rejected_order_could_not_have_been_served_in_its_turn(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    decision = decide(batch, snapshot, NOON)
    left = {type_id: lot.unsold for type_id, lot in snapshot.lots.items()}
    for outcome in decision.outcomes:
        wanted: Counter[int] = Counter()
        for item in outcome.placed.items:
            wanted[item.ticket_type_id] += item.quantity
        if not outcome.known and outcome.reason in ("sold-out", "not-enough-tickets"):
            short = [left[type_id] for type_id, quantity in wanted.items() if left[type_id] < quantity]
            assert short
            assert (0 in short) == (outcome.reason == "sold-out")
        if outcome.kept and not outcome.known:
            for type_id, quantity in wanted.items():
                left[type_id] -= quantity


def after(decision: Decision, before: Snapshot) -> Snapshot:
    """What the ledger says once the decision is recorded."""
    sold = {sale.ticket_type_id: sale.quantity for sale in decision.sales}
    new = {
        (tally.event_id, tally.user_id): replace(
            before.tallies.get((tally.event_id, tally.user_id), Tally(0, 0)),
            quantity=tally.quantity,
            version=tally.version + 1,
        )
        for tally in decision.tallies
    }
    given = {outcome.order_id: Recorded(outcome.status, outcome.reason) for outcome in decision.outcomes}
    return Snapshot(
        lots={
            type_id: Lot(lot.event_id, lot.unsold - sold.get(type_id, 0), lot.version + (type_id in sold))
            for type_id, lot in before.lots.items()
        },
        buyer_limits=before.buyer_limits,
        hold_seconds=before.hold_seconds,
        cancellation_limits=before.cancellation_limits,
        tallies={**before.tallies, **new},
        recorded={**before.recorded, **given},
        keys={**before.keys, **keys_recorded(decision)},
    )


def keys_recorded(decision: Decision) -> dict[tuple[str, str], str]:
    return {
        (outcome.placed.user_id, outcome.idempotency_key): outcome.order_id
        for outcome in decision.outcomes
        if outcome.idempotency_key is not None and not outcome.known
    }


@given(batches, snapshots)
def test_a_key_is_one_orders_and_that_of_a_later_one_is_reused(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    taken = set(snapshot.keys)
    for outcome in decide(batch, snapshot, NOON).outcomes:
        if outcome.known or outcome.placed.idempotency_key is None:
            continue
        key = (outcome.placed.user_id, outcome.placed.idempotency_key)
        assert (outcome.reason == "idempotency-key-reused") == (key in taken)
        assert outcome.idempotency_key == (None if key in taken else key[1])
        taken.add(key)


@given(batches, snapshots)
def test_an_order_is_held_exactly_when_its_event_holds_and_so_are_its_tickets(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    decision = decide(batch, snapshot, NOON)
    for outcome in decision.outcomes:
        if outcome.known or not outcome.kept:
            assert outcome.expires_at is None
            continue
        seconds = snapshot.hold_seconds.get(outcome.event_id)
        assert outcome.status is (OrderStatus.RESERVED if seconds else OrderStatus.CONFIRMED)
        assert outcome.expires_at == (NOON + timedelta(seconds=seconds) if seconds else None)
    for sale in decision.sales:
        assert sale.held == (snapshot.lots[sale.ticket_type_id].event_id in snapshot.hold_seconds)


def test_whoever_was_accepted_first_is_served_first_whatever_the_order_of_records() -> None:
    late, early = an_order("a", (11, 2), at=2), an_order("b", (11, 2), at=1)
    decision = decide([late, early], a_snapshot({11: 3}), NOON)
    assert answers(decision) == {"b": "confirmed", "a": "not-enough-tickets"}


def test_an_order_gets_all_that_it_asks_for_or_nothing() -> None:
    decision = decide([an_order("a", (11, 1), (12, 2))], a_snapshot({11: 5, 12: 1}), NOON)
    assert answers(decision) == {"a": "not-enough-tickets"}
    assert decision.sales == ()


def test_nothing_left_of_one_type_is_called_sold_out() -> None:
    decision = decide([an_order("a", (11, 9), (12, 1))], a_snapshot({11: 5, 12: 0}), NOON)
    assert answers(decision) == {"a": "sold-out"}


def test_a_refused_order_leaves_its_tickets_to_the_next() -> None:
    batch = [an_order("a", (11, 4), at=1), an_order("b", (11, 3), at=2)]
    decision = decide(batch, a_snapshot({11: 3}), NOON)
    assert answers(decision) == {"a": "not-enough-tickets", "b": "confirmed"}
    assert decision.sales == (Sale(11, 3, 7),)


def test_a_type_that_comes_twice_in_an_order_counts_together() -> None:
    decision = decide([an_order("a", (11, 2), (11, 2))], a_snapshot({11: 3}), NOON)
    assert answers(decision) == {"a": "not-enough-tickets"}


def test_the_limit_counts_over_orders_and_ticket_types() -> None:
    batch = [an_order("a", (11, 2), at=1), an_order("b", (12, 1), at=2), an_order("c", (12, 1), at=3)]
    snapshot = a_snapshot({11: 9, 12: 9}, limit=4, tallies={(1, "ann"): Tally(1, 5)})
    decision = decide(batch, snapshot, NOON)
    assert answers(decision) == {"a": "confirmed", "b": "confirmed", "c": "buyer-limit-exceeded"}
    assert decision.tallies == (BuyerTally(1, "ann", 4, 5),)


def test_whoever_has_given_back_as_many_orders_as_the_event_allows_gets_no_more() -> None:
    batch = [an_order("a", (11, 1), user="ann"), an_order("b", (11, 1), user="bob")]
    given_back = {(1, "ann"): Tally(0, 6, 3), (1, "bob"): Tally(0, 4, 2)}
    snapshot = a_snapshot({11: 9}, cancellation_limits={1: 3}, tallies=given_back)
    decision = decide(batch, snapshot, NOON)
    assert answers(decision) == {"a": "buyer-limit-exceeded", "b": "confirmed"}
    unlimited = decide(batch, replace(snapshot, cancellation_limits={}), NOON)
    assert answers(unlimited) == {"a": "confirmed", "b": "confirmed"}


@given(batches, snapshots)
def test_nothing_goes_to_whoever_has_given_back_too_much(
    batch: list[OrderPlaced], snapshot: Snapshot
) -> None:
    most = snapshot.cancellation_limits
    for placed in freshly_kept(decide(batch, snapshot, NOON)):
        before = snapshot.tallies.get((placed.event_id, placed.user_id), Tally(0, 0))
        assert before.given_back < most.get(placed.event_id, 99)


def test_unknown_events_and_types_and_types_of_another_event_are_rejected() -> None:
    batch = [
        an_order("a", (11, 1), event_id=9),
        an_order("b", (99, 1)),
        an_order("c", (21, 1)),
    ]
    decision = decide(batch, a_snapshot({11: 9, 21: 9}), NOON)
    assert answers(decision) == {
        "a": "event-not-found",
        "b": "ticket-type-not-found",
        "c": "ticket-type-not-found",
    }


def test_the_time_of_decision_is_the_one_given() -> None:
    assert decide([], a_snapshot({}), NOON) == Decision((), (), (), NOON)
