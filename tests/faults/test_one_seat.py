"""Fault 9: a thousand buyers for one seat, at the door and, when every gate lets them in, in the ledger."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.house import House
from tests.support.batches import an_order_of, message_of
from tests.support.stack import Stack, broken_promises

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BUYERS = 1_000


def test_a_thousand_buyers_at_the_door_are_one_buyer_and_the_others_hear_sold_out(stack: Stack) -> None:
    result = stack.rush(tickets=1, buyers=BUYERS)
    assert broken_promises(result) == []
    assert (result.accepted, result.refused) == (1, {"sold-out": BUYERS - 1})
    assert (result.confirmed_tickets, result.undecided) == (1, 0)


def test_a_thousand_orders_for_one_seat_on_the_queue_are_decided_for_one_buyer(house: House) -> None:
    event_id = house.event(1)
    (type_id,) = house.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    orders = [an_order_of(event_id, (type_id, 1)) for _ in range(BUYERS)]
    house.send(message_of(order) for order in orders)
    with house.worker(BATCH="25"), house.worker(BATCH="25"), house.worker(BATCH="25"):
        house.until_decided(event_id, [order.order_id for order in orders], seconds=60)
        house.until_quiet()
    assert Counter(house.statuses(event_id).values()) == {"confirmed": 1, "rejected": BUYERS - 1}
    assert house.dead_letters() == 0
    house.reconcile()
    assert house.broken(event_id) == []
