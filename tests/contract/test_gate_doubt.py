"""What every gate must do with an event that its server may have forgotten some of: believe none of it."""

from __future__ import annotations

import time

import pytest

from chalicelib.errors import Rejected
from chalicelib.gate.refusals import KeyForgotten, NotLoaded, Settled
from chalicelib.model import LookedUp
from tests.support.events import an_event, an_intent
from tests.support.gates import AnyGate, admitted, available, filled, surveyed

ANOTHER = "a" * 40
YET_ANOTHER = "b" * 40


def refilled(gate: AnyGate, unsold: int, *decided: str) -> None:
    """Fills event 1 from a ledger that has decided these claims, and has so many tickets left."""
    epoch = gate.begin_load(1)
    assert epoch is not None
    assert gate.load(an_event(1, (unsold,)), epoch, decided=decided)


def test_an_unloaded_event_is_cold_and_keeps_its_claims(gate: AnyGate) -> None:
    filled(gate, 10)
    order = admitted(gate, an_intent(3))
    gate.unload(1, ANOTHER)
    assert gate.availability(1) is None
    assert gate.survey(1) is None
    with pytest.raises(NotLoaded):
        gate.admit(an_intent())
    assert gate.look_up(order.order_id) == LookedUp(order, None)
    assert gate.held(1) == [order.order_id]
    assert gate.loaded_events() == [1]


def test_an_unloaded_event_lists_no_pending_orders_that_may_be_decided(gate: AnyGate) -> None:
    filled(gate, 10)
    gate.unload(1, ANOTHER)
    assert gate.pending(1, None, 10) == []
    refilled(gate, 10)
    order = admitted(gate, an_intent())
    gate.unload(1, YET_ANOTHER)
    with pytest.raises(NotLoaded):
        gate.pending(1, None, 10)
    refilled(gate, 10)
    assert gate.pending(1, None, 10) == [order]


def test_an_event_is_unloaded_once_for_each_server(gate: AnyGate) -> None:
    filled(gate, 10)
    gate.unload(1, ANOTHER)
    refilled(gate, 10)
    gate.unload(1, ANOTHER)
    assert available(gate) == [10]
    gate.unload(1, YET_ANOTHER)
    assert gate.availability(1) is None


def test_filling_it_again_settles_what_the_ledger_has_decided_and_counts_the_rest(gate: AnyGate) -> None:
    filled(gate, 5_000)
    ids = [admitted(gate, an_intent(2)).order_id for _ in range(1_200)]
    gate.unload(1, ANOTHER)
    refilled(gate, 5_000 - 2 * 1_100, *ids[:1_100])
    assert available(gate) == [5_000 - 2 * 1_200]
    assert surveyed(gate).claims.keys() == set(ids[1_100:])
    assert gate.settle(1, [], ids) == 100
    assert available(gate) == [5_000 - 2 * 1_100]


def test_keys_that_it_does_not_know_are_the_ledgers_even_if_that_had_no_order(gate: AnyGate) -> None:
    filled(gate, 10)
    first = admitted(gate, an_intent(key="known"))
    settled = admitted(gate, an_intent(key="decided"))
    gate.settle(1, [settled.order_id], [])
    gate.unload(1, ANOTHER)
    refilled(gate, 9)
    assert admitted(gate, an_intent(key="known")) == first
    with pytest.raises(Settled):
        gate.admit(an_intent(key="decided"))
    with pytest.raises(KeyForgotten):
        gate.admit(an_intent(key="new"))
    admitted(gate, an_intent())


def test_a_survey_and_a_filling_from_before_are_outdated(gate: AnyGate) -> None:
    filled(gate, 10)
    epoch = surveyed(gate).epoch
    gate.unload(1, ANOTHER)
    assert not gate.load(an_event(1, (10,)), epoch)
    assert not gate.realign(1, epoch, {11: 5})
    refilled(gate, 10)
    assert not gate.realign(1, epoch, {11: 5})
    assert surveyed(gate).epoch > epoch
    assert available(gate) == [10]


def test_claims_settled_while_it_is_cold_give_nothing_back_twice(gate: AnyGate) -> None:
    filled(gate, 10)
    kept, returned = (admitted(gate, an_intent(2)).order_id for _ in range(2))
    gate.unload(1, ANOTHER)
    assert gate.settle(1, [kept], [returned]) == 2
    refilled(gate, 8)
    assert available(gate) == [8]


def test_new_terms_leave_it_cold(gate: AnyGate) -> None:
    filled(gate, 10)
    gate.unload(1, ANOTHER)
    gate.configure(an_event(1, version=7))
    assert gate.availability(1) is None


def test_what_it_has_counted_of_buyers_is_forgotten(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=1)
    order = admitted(gate, an_intent())
    gate.unload(1, ANOTHER)
    epoch = gate.begin_load(1)
    assert epoch is not None
    gate.load(an_event(1, (10,), max_per_buyer=1), epoch, decided=[order.order_id])
    admitted(gate, an_intent())
    with pytest.raises(Rejected, match="at most 1"):
        gate.admit(an_intent())


def test_a_look_at_an_order_tells_since_when_the_gate_has_kept_count(gate: AnyGate) -> None:
    unknown = an_intent().order_id
    assert gate.look_up(unknown) == LookedUp(None, None)
    before_ms = time.time_ns() // 1_000_000
    filled(gate, 10)
    found = gate.look_up(unknown)
    assert found.claim is None
    assert found.filled_at_ms is not None
    assert before_ms <= found.filled_at_ms <= time.time_ns() // 1_000_000
