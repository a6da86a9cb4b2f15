"""What every gate must do for the life of an order: keys, caps, switches, withdrawal, survey, realignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.errors import Rejected
from chalicelib.gate.gate import Gate
from chalicelib.gate.refusals import KeyForgotten, Settled
from chalicelib.model import OrderIntent, OrderPlaced, SalesState
from tests.support.events import an_event, an_intent, an_order_for
from tests.support.gates import AnyGate, admitted, filled, surveyed


def refused(gate: AnyGate, intent: OrderIntent) -> str:
    with pytest.raises(Rejected) as caught:
        gate.admit(intent)
    return caught.value.code


def test_a_key_that_comes_again_is_shown_the_order_that_has_it(gate: AnyGate) -> None:
    filled(gate, 10)
    first = admitted(gate, an_intent(2, key="k"))
    again = admitted(gate, an_intent(2, key="k"))
    assert first == again
    assert (first.idempotency_key, first.request_digest) == ("k", "2x")
    assert surveyed(gate).stock == {11: 8}


def test_a_key_with_another_request_is_refused(gate: AnyGate) -> None:
    filled(gate, 10)
    admitted(gate, an_intent(2, key="k"))
    assert refused(gate, an_intent(3, key="k")) == "idempotency-key-reused"
    assert surveyed(gate).stock == {11: 8}


def test_keys_belong_to_a_buyer_and_to_an_event(gate: AnyGate) -> None:
    filled(gate, 10)
    epoch = gate.begin_load(2)
    assert epoch is not None
    gate.load(an_event(2), epoch)
    intents = [an_intent(key="k"), an_intent(key="k", user="bob"), an_intent(key="k", event_id=2)]
    assert len({admitted(gate, intent).order_id for intent in intents}) == 3


def test_no_two_pairs_of_buyer_and_key_run_together(gate: AnyGate) -> None:
    filled(gate, 10)
    pairs = [("a", "b c"), ("a b", "c"), ("a b c", ""), ("", "a b c")]
    intents = [an_intent(user=user, key=key) for user, key in pairs]
    assert len({admitted(gate, intent).order_id for intent in intents}) == 4


def test_a_key_is_known_when_its_event_is_sold_out_or_paused(gate: AnyGate) -> None:
    filled(gate, 1)
    first = admitted(gate, an_intent(key="k"))
    gate.configure(an_event(1, version=2, sales_state=SalesState.PAUSED))
    assert admitted(gate, an_intent(key="k")) == first


@pytest.mark.parametrize("kept", [True, False])
def test_the_key_of_a_decided_order_leads_to_the_ledger(gate: AnyGate, kept: bool) -> None:
    filled(gate, 10)
    first = admitted(gate, an_intent(key="k")).order_id
    gate.settle(1, [first] if kept else [], [] if kept else [first])
    with pytest.raises(Settled) as caught:
        gate.admit(an_intent(key="k"))
    assert caught.value.order_id == first


def test_a_refused_order_leaves_its_key_free(gate: AnyGate) -> None:
    filled(gate, 1)
    assert refused(gate, an_intent(2, key="k")) == "not-enough-tickets"
    assert admitted(gate, an_intent(1, key="k")).quantity == 1


def test_a_withdrawn_order_leaves_no_trace_not_even_of_its_key(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=2)
    intent = an_intent(2, key="k")
    admitted(gate, intent)
    assert gate.withdraw(intent)
    assert not gate.withdraw(intent)
    assert surveyed(gate).stock == {11: 10}
    assert admitted(gate, replace(an_intent(1, key="k"))).quantity == 1


def test_an_order_that_a_replay_has_shown_to_somebody_is_not_withdrawn(gate: AnyGate) -> None:
    filled(gate, 10)
    intent = an_intent(2, key="k")
    admitted(gate, intent)
    admitted(gate, an_intent(2, key="k"))
    assert not gate.withdraw(intent)
    assert gate.look_up(intent.order_id).claim is not None
    assert surveyed(gate).stock == {11: 8}


def test_asking_again_with_the_same_order_id_is_no_replay(gate: AnyGate) -> None:
    filled(gate, 10)
    intent = an_intent(2, key="k")
    assert gate.admit(intent) == gate.admit(intent)
    assert gate.withdraw(intent)


def test_a_refilled_gate_sends_keys_that_it_does_not_know_to_the_ledger(gate: AnyGate) -> None:
    filled(gate, 1, refilled=True)
    intent = an_intent(key="k")
    with pytest.raises(KeyForgotten):
        gate.admit(intent)
    first = msgspec.json.decode(gate.admit(intent, key_is_new=True), type=OrderPlaced)
    assert admitted(gate, an_intent(key="k")) == first
    with pytest.raises(KeyForgotten):  # the ledger is asked before the buyer hears of what is left
        gate.admit(an_intent(key="other"))
    assert refused(gate, an_intent()) == "sold-out"


@pytest.mark.parametrize(
    ("state", "code"), [(SalesState.PAUSED, "sale-paused"), (SalesState.CLOSED, "sale-closed")]
)
def test_a_sale_that_is_switched_off_refuses_and_can_be_switched_on(
    gate: AnyGate, state: SalesState, code: str
) -> None:
    filled(gate, 10)
    intent = an_intent()
    admitted(gate, intent)
    gate.configure(an_event(1, version=2, sales_state=state))
    assert refused(gate, an_intent()) == code
    assert gate.settle(1, [intent.order_id], []) == 1
    gate.configure(an_event(1, version=3))
    admitted(gate, an_intent())


def test_a_buyer_is_held_to_the_cap_over_all_orders(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=3)
    admitted(gate, an_intent(2))
    assert refused(gate, an_intent(2)) == "buyer-limit-exceeded"
    admitted(gate, an_intent(2, user="bob"))
    admitted(gate, an_intent(1))
    assert refused(gate, an_intent(1)) == "buyer-limit-exceeded"
    assert surveyed(gate).stock == {11: 5}


def test_a_returned_claim_gives_the_buyers_allowance_back_and_a_kept_one_does_not(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=2)
    returned = admitted(gate, an_intent(2)).order_id
    gate.settle(1, [], [returned])
    gate.settle(1, [], [returned])
    kept = admitted(gate, an_intent(2)).order_id
    gate.settle(1, [kept], [])
    assert refused(gate, an_intent()) == "buyer-limit-exceeded"


def test_a_buyer_who_was_forgotten_never_counts_for_less_than_nothing(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=2)
    first = admitted(gate, an_intent(2)).order_id
    assert gate.realign(1, surveyed(gate).epoch, {})
    gate.settle(1, [], [first])
    assert refused(gate, an_intent(3)) == "buyer-limit-exceeded"
    admitted(gate, an_intent(2))


def test_a_realignment_counts_every_buyer_anew_also_where_the_stock_was_right(gate: AnyGate) -> None:
    filled(gate, 10, max_per_buyer=1)
    for user in ("ann", "bob"):
        admitted(gate, an_intent(user=user))
    assert gate.realign(1, surveyed(gate).epoch, {})
    for user in ("ann", "bob"):
        admitted(gate, an_intent(user=user))
        assert refused(gate, an_intent(user=user)) == "buyer-limit-exceeded"


def test_a_survey_has_stock_and_claims_of_one_moment(gate: AnyGate) -> None:
    assert gate.survey(1) is None
    filled(gate, 10, 5)
    order = admitted(gate, an_order_for((11, 2), (12, 1)))
    found = surveyed(gate)
    assert (found.stock, found.claims) == ({11: 8, 12: 4}, {order.order_id: order})


def test_realigning_adds_the_difference_to_what_is_there_by_then(gate: AnyGate) -> None:
    filled(gate, 10, 5)
    epoch = surveyed(gate).epoch
    admitted(gate, an_intent(3, type_id=11))
    assert gate.realign(1, epoch, {11: 4, 12: -5})
    assert surveyed(gate).stock == {11: 11, 12: 0}


def test_claims_that_the_ledger_has_decided_go_and_give_nothing_back(gate: AnyGate) -> None:
    filled(gate, 5_000)
    ids = [admitted(gate, an_intent()).order_id for _ in range(2_100)]
    assert gate.realign(1, surveyed(gate).epoch, {11: 1}, decided=ids[:2_050])
    assert gate.settle(1, [], ids[:2_050]) == 0
    assert surveyed(gate).stock == {11: 2_901}
    assert surveyed(gate).claims.keys() == set(ids[2_050:])
    assert gate.overdue(1, -1, 5_000) != []
    assert len(gate.pending(1, None, 5_000)) == 50


MOVES: dict[str, Callable[[Any], object]] = {
    "a settlement": lambda gate: gate.settle(1, ["0" * 36], []),
    "new terms": lambda gate: gate.configure(an_event(1, version=7)),
    "another realignment": lambda gate: gate.realign(1, surveyed(gate).epoch, {11: 1}),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_survey_that_something_has_outdated_realigns_nothing(gate: AnyGate, move: str) -> None:
    filled(gate, 10)
    epoch = surveyed(gate).epoch
    MOVES[move](gate)
    before = surveyed(gate)
    assert not gate.realign(1, epoch, {11: 5})
    assert surveyed(gate) == before


def test_a_cold_gate_is_not_realigned(gate: AnyGate) -> None:
    assert not gate.realign(1, 0, {11: 5})
    assert gate.availability(1) is None


def test_a_gate_that_has_let_in_too_many_has_nothing_left_and_not_less(gate: AnyGate) -> None:
    filled(gate, 1)
    assert gate.realign(1, surveyed(gate).epoch, {11: -3})
    found = gate.availability(1)
    assert found is not None
    assert [stock.available for stock in found[0]] == [0]
    assert refused(gate, an_intent()) == "sold-out"


def test_a_server_that_was_wiped_does_not_come_by_an_old_epoch_again(client: Any) -> None:
    if client is None:
        pytest.skip("the twin cannot be wiped")
    client.flushall()
    gate = Gate(client)
    filled(gate, 10)
    epoch = surveyed(gate).epoch
    client.flushall()
    filled(gate, 10)
    assert surveyed(gate).epoch > epoch
    assert not gate.realign(1, epoch, {11: 5})


def test_only_idempotency_records_expire(client: Any) -> None:
    if client is None:
        pytest.skip("nothing expires in the twin")
    client.flushall()
    gate = Gate(client)
    filled(gate, 10, max_per_buyer=5, refilled=True)
    gate.admit(an_intent(key="k"), key_is_new=True)
    admitted(gate, an_intent(key="k"))
    lives = {key.rsplit(b":", 1)[0]: client.ttl(key) for key in client.keys("{e:1}:*")}
    assert 86_000 < lives.pop(b"{e:1}:key") <= 86_400
    assert lives == {b"{e:1}": -1}


def test_claims_are_read_by_their_orders(gate: AnyGate) -> None:
    filled(gate, 10)
    orders = [admitted(gate, an_intent()) for _ in range(3)]
    ids = [order.order_id for order in orders]
    gate.settle(1, [ids[0]], [])
    assert gate.held_of(1, ids) == orders[1:]
    assert gate.held_of(1, [*ids[:1], "nobody's"]) == []
    assert gate.held_of(1, []) == gate.held_of(2, ids) == []


def test_the_gate_knows_when_a_waiting_order_was_last_put_on_the_queue(gate: AnyGate) -> None:
    filled(gate, 10)
    order = admitted(gate, an_intent())
    assert gate.queued_ms(order.order_id) == order.accepted_at_ms
    gate.overdue(1, -1, 10)
    again = gate.queued_ms(order.order_id)
    assert again is not None
    assert again >= order.accepted_at_ms
    gate.settle(1, [order.order_id], [])
    assert gate.queued_ms(order.order_id) is None
