"""What every gate must do: the in-memory twin, one Valkey, and a Valkey cluster alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.errors import InvalidRequest, Rejected
from chalicelib.gate.refusals import NotLoaded
from chalicelib.model import OrderPlaced, Stock
from chalicelib.order_ids import new_order_id
from tests.support.events import an_event, an_intent, an_order_for
from tests.support.gates import AnyGate, available, filled


def refused(gate: AnyGate, *lines: tuple[int | None, int]) -> str:
    with pytest.raises(Rejected) as caught:
        gate.admit(an_order_for(*lines))
    return caught.value.code


def test_a_cold_gate_says_so_and_guesses_nothing(gate: AnyGate) -> None:
    with pytest.raises(NotLoaded):
        gate.admit(an_intent())
    assert gate.availability(1) is None


def test_an_admitted_order_takes_its_tickets_and_leaves_the_whole_order_as_its_claim(gate: AnyGate) -> None:
    filled(gate, 10)
    intent = an_intent(3, user='Ünal / "x" \\')
    placed = msgspec.json.decode(gate.admit(intent), type=OrderPlaced)
    assert placed == gate.look_up(intent.order_id).claim
    assert (placed.order_id, placed.event_id, placed.user_id) == (intent.order_id, 1, intent.user_id)
    assert [(i.ticket_type_id, i.quantity, i.unit_price) for i in placed.items] == [(11, 3, 500)]
    assert (placed.currency, placed.schema) == ("EUR", 1)
    assert abs(datetime.now(UTC).timestamp() * 1000 - placed.accepted_at_ms) < 5_000
    assert available(gate) == [7]


def test_the_last_ticket_is_given_once(gate: AnyGate) -> None:
    filled(gate, 1)
    gate.admit(an_intent())
    assert refused(gate, (None, 1)) == "sold-out"
    assert available(gate) == [0]


def test_an_order_for_more_than_is_left_is_told_how_many_there_are(gate: AnyGate) -> None:
    filled(gate, 2)
    with pytest.raises(Rejected, match="Only 2 of these") as caught:
        gate.admit(an_intent(3))
    assert caught.value.code == "not-enough-tickets"
    assert available(gate) == [2]


def test_an_order_of_several_lines_is_admitted_whole_or_not_at_all(gate: AnyGate) -> None:
    filled(gate, 5, 1)
    assert refused(gate, (11, 2), (12, 2)) == "not-enough-tickets"
    assert available(gate) == [5, 1]
    gate.admit(an_order_for((11, 2), (12, 1)))
    assert available(gate) == [3, 0]
    assert refused(gate, (11, 9), (12, 1)) == "sold-out"


def test_the_short_form_needs_an_event_with_one_ticket_type(gate: AnyGate) -> None:
    filled(gate, 5, 5)
    with pytest.raises(InvalidRequest) as caught:
        gate.admit(an_intent())
    assert caught.value.errors[0][0] == "items"


def test_a_ticket_type_of_another_event_is_not_found(gate: AnyGate) -> None:
    filled(gate, 5)
    assert refused(gate, (21, 1)) == "ticket-type-not-found"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"sales_open_at": datetime.now(UTC) + timedelta(hours=1)}, "sale-not-open"),
        ({"sales_close_at": datetime.now(UTC) - timedelta(seconds=1)}, "sale-closed"),
        ({"max_per_order": 2}, "order-limit-exceeded"),
    ],
)
def test_terms_of_the_sale_are_enforced_by_the_servers_clock(gate: AnyGate, terms: Any, code: str) -> None:
    filled(gate, 10, **terms)
    assert refused(gate, (None, 3)) == code
    assert available(gate) == [10]


def test_the_limit_of_an_order_counts_over_its_lines(gate: AnyGate) -> None:
    filled(gate, 5, 5, max_per_order=3)
    assert refused(gate, (11, 2), (12, 2)) == "order-limit-exceeded"


def test_an_open_window_lets_orders_in(gate: AnyGate) -> None:
    now = datetime.now(UTC)
    filled(gate, 5, sales_open_at=now - timedelta(minutes=1), sales_close_at=now + timedelta(minutes=1))
    gate.admit(an_intent())


def test_asking_again_with_the_same_order_id_takes_nothing_more(gate: AnyGate) -> None:
    filled(gate, 1)
    intent = an_intent()
    assert gate.admit(intent) == gate.admit(intent)
    assert available(gate) == [0]


def test_a_returned_claim_puts_its_tickets_back_exactly_once(gate: AnyGate) -> None:
    filled(gate, 5)
    intent = an_intent(2)
    gate.admit(intent)
    assert gate.settle(1, kept=[], returned=[intent.order_id]) == 1
    assert gate.settle(1, kept=[], returned=[intent.order_id]) == 0
    assert available(gate) == [5]
    assert gate.look_up(intent.order_id).claim is None


def test_a_kept_claim_stays_sold_and_cannot_be_returned_later(gate: AnyGate) -> None:
    filled(gate, 5)
    intent = an_intent(2)
    gate.admit(intent)
    assert gate.settle(1, kept=[intent.order_id], returned=[]) == 1
    assert gate.settle(1, kept=[], returned=[intent.order_id]) == 0
    assert available(gate) == [3]


def test_thousands_of_claims_are_settled_in_one_call(gate: AnyGate) -> None:
    filled(gate, 5_000)
    ids = [intent.order_id for intent in (an_intent() for _ in range(2_500)) if gate.admit(intent)]
    assert gate.settle(1, kept=ids[:1_300], returned=ids[1_300:]) == 2_500
    assert available(gate) == [5_000 - 1_300]


def test_one_events_claims_do_not_touch_anothers(gate: AnyGate) -> None:
    filled(gate, 5)
    epoch = gate.begin_load(2)
    assert epoch is not None
    gate.load(an_event(2, (7,)), epoch)
    other = an_intent(event_id=2)
    gate.admit(other)
    assert gate.settle(1, kept=[], returned=[other.order_id]) == 0
    assert (available(gate, 1), available(gate, 2)) == ([5], [6])


def test_only_one_filler_holds_the_lock(gate: AnyGate) -> None:
    assert gate.begin_load(1) is not None
    assert gate.begin_load(1) is None


def test_a_view_of_the_ledger_older_than_a_settlement_is_not_taken(gate: AnyGate) -> None:
    epoch = gate.begin_load(1)
    assert epoch is not None
    gate.settle(1, kept=["0" * 36], returned=[])
    assert not gate.load(an_event(1, (10,)), epoch)
    assert gate.availability(1) is None
    assert gate.begin_load(1) is not None


def test_a_view_of_the_ledger_older_than_a_change_of_terms_is_not_taken(gate: AnyGate) -> None:
    epoch = gate.begin_load(1)
    assert epoch is not None
    gate.configure(an_event(1, version=2))
    assert not gate.load(an_event(1, version=1), epoch)


def test_a_filler_that_gives_up_leaves_the_lock_to_the_next(gate: AnyGate) -> None:
    assert gate.begin_load(1) is not None
    gate.end_load(1)
    assert gate.begin_load(1) is not None


def test_filling_a_loaded_event_again_changes_nothing(gate: AnyGate) -> None:
    filled(gate, 3)
    gate.admit(an_intent())
    epoch = gate.begin_load(1)
    assert epoch is not None
    assert gate.load(an_event(1, (3,)), epoch)
    assert available(gate) == [2]


def test_new_terms_reach_a_loaded_event_and_older_ones_do_not(gate: AnyGate) -> None:
    filled(gate, 10)
    gate.configure(an_event(1, (10,), max_per_order=2, version=3))
    assert refused(gate, (None, 3)) == "order-limit-exceeded"
    gate.configure(an_event(1, (10,), version=2))
    assert refused(gate, (None, 3)) == "order-limit-exceeded"
    assert available(gate) == [10]


def test_new_terms_leave_a_cold_gate_cold(gate: AnyGate) -> None:
    gate.configure(an_event(1, version=9))
    assert gate.availability(1) is None


def test_pending_orders_are_listed_page_by_page_without_gap_or_repeat(gate: AnyGate) -> None:
    filled(gate, 50)
    ids = {intent.order_id for intent in (an_intent(user=str(n)) for n in range(25)) if gate.admit(intent)}
    listed: list[str] = []
    while page := gate.pending(1, listed[-1] if listed else None, 4):
        listed += [order.order_id for order in page]
    assert (len(listed), set(listed)) == (25, ids)


def test_a_page_whose_cursor_was_settled_begins_at_its_time(gate: AnyGate) -> None:
    filled(gate, 10)
    gate.admit(an_intent())
    assert gate.pending(1, new_order_id(1, 4_000_000_000_000), 10) != []
    assert gate.pending(1, new_order_id(1, 1), 10) == []


def test_a_claim_that_waits_too_long_is_handed_out_once_per_period(gate: AnyGate) -> None:
    filled(gate, 10)
    intent = an_intent()
    claim = gate.admit(intent)
    assert gate.overdue(1, 60_000, 10) == []
    assert gate.overdue(1, -1, 10) == [claim]
    assert gate.overdue(1, 60_000, 10) == []
    gate.settle(1, kept=[intent.order_id], returned=[])
    assert gate.overdue(1, -1, 10) == []


def test_filled_events_are_remembered(gate: AnyGate) -> None:
    filled(gate, 10)
    assert gate.loaded_events() == [1]


def test_the_stock_is_listed_by_ticket_type(gate: AnyGate) -> None:
    filled(gate, 5, 6)
    found = gate.availability(1)
    assert found is not None
    assert found[0] == [Stock(11, 5), Stock(12, 6)]
