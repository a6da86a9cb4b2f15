"""How long the oldest claim has been there: the twin, one Valkey, and a cluster tell it alike."""

from __future__ import annotations

import time

from chalicelib.order_ids import new_order_id
from tests.support.events import an_intent
from tests.support.gates import AnyGate, admitted, filled
from tests.support.waiting import until


def an_age(gate: AnyGate, event_id: int = 1) -> int:
    age_ms = gate.oldest_ms(event_id)
    assert age_ms is not None
    return age_ms


def grown_old(gate: AnyGate, ms: int) -> None:
    """Waits until the oldest claim is that old."""
    until(lambda: an_age(gate) >= ms, "time passes", seconds=10)


def test_without_a_claim_there_is_none(gate: AnyGate) -> None:
    assert gate.oldest_ms(1) is None
    filled(gate, 10)
    assert gate.oldest_ms(1) is None
    order = admitted(gate, an_intent())
    assert 0 <= an_age(gate) < 5_000
    gate.settle(1, [order.order_id], [])
    assert gate.oldest_ms(1) is None


def test_it_is_the_oldest_and_then_the_next(gate: AnyGate) -> None:
    filled(gate, 10)
    first = admitted(gate, an_intent())
    grown_old(gate, 60)
    second = admitted(gate, an_intent(user="bob"))
    assert an_age(gate) >= 60
    gate.settle(1, [first.order_id], [])
    younger = an_age(gate)
    assert younger <= time.time() * 1_000 - second.accepted_at_ms + 5
    gate.settle(1, [], [second.order_id])
    assert gate.oldest_ms(1) is None


def test_an_order_that_is_sent_again_is_no_younger_for_it(gate: AnyGate) -> None:
    filled(gate, 10)
    first = admitted(gate, an_intent())
    for _ in range(3):
        before = an_age(gate)
        assert len(gate.overdue(1, -1, 10)) == 1
        assert an_age(gate) >= before
        grown_old(gate, before + 30)
    admitted(gate, an_intent(user="bob"))
    assert an_age(gate) >= 60, "the one who was sent again is older than the one who is first in line"
    gate.settle(1, [first.order_id], [])
    assert an_age(gate) < 60


def test_an_older_order_that_was_never_sent_again_counts_beside_one_that_was(gate: AnyGate) -> None:
    """One at a time is handed out: the first of two goes to the back of the line, and both are seen."""
    filled(gate, 10)
    ids = [admitted(gate, an_intent(user=user)).order_id for user in ("ann", "bob")]
    grown_old(gate, 30)
    assert len(gate.overdue(1, -1, 1)) == 1
    gate.settle(1, [ids[0]], [])
    assert an_age(gate) >= 30
    gate.settle(1, [ids[1]], [])
    assert gate.oldest_ms(1) is None


def test_thousands_that_were_settled_meanwhile_are_in_nobodys_way(gate: AnyGate) -> None:
    filled(gate, 5_000)
    intents = [an_intent(user=f"user {number}") for number in range(1_200)]
    for intent in intents:
        gate.admit(intent)
    assert len(gate.overdue(1, -1, 5_000)) == 1_200
    gate.settle(1, [intent.order_id for intent in intents], [])
    newest = admitted(gate, an_intent(user="the last"))
    assert new_order_id(1, newest.accepted_at_ms) >= newest.order_id[:13]
    assert an_age(gate) <= time.time() * 1_000 - newest.accepted_at_ms + 5
