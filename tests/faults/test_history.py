"""The history as a judge of faults: it sees what was put right before anybody looked at the end."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from infra.history.judge import judge
from infra.history.lines import OrderChange
from tests.faults.house import House

pytestmark = [pytest.mark.slow, pytest.mark.faults]

TICKETS, BUYERS = 20, 30
SOLD_BY_HAND = """
    INSERT INTO orders (id, event_id, user_id, status, items, quantity, total_price, currency, accepted_at,
                        decided_at)
    SELECT %s, event_id, 'intruder', status, items, quantity, total_price, currency, accepted_at, decided_at
    FROM orders WHERE event_id = %s AND status = 'confirmed' LIMIT 1
"""


def sell_out(house: House) -> int:
    """Everything is sold, and a few hear so."""
    event_id = house.event(TICKETS)
    with house.worker():
        answers = [house.order(event_id, f"u{number}") for number in range(BUYERS)]
        assert [answer.status for answer in answers] == [202] * TICKETS + [409] * (BUYERS - TICKETS)
        house.until_decided(event_id, [answer.json["id"] for answer in answers[:TICKETS]])
    return event_id


def test_a_history_has_every_request_every_answer_and_every_commit(house: House) -> None:
    event_id = sell_out(house)
    story = house.story(event_id)
    buys = [request for request in story.requests.values() if request.buys]
    assert len(buys) == BUYERS
    assert story.requests.keys() == story.answers.keys()
    changed = {
        change.id for commit in story.commits for change in commit.changes if isinstance(change, OrderChange)
    }
    assert changed == {order_id for _, _, order_id in story.accepted()}
    assert judge(story).passed


def test_what_was_sold_too_much_and_taken_back_before_the_end_is_seen_by_the_history_alone(
    house: House,
) -> None:
    event_id, order_id = sell_out(house), uuid4()
    with psycopg.connect(house.dsn, autocommit=True) as ledger:
        ledger.execute(SOLD_BY_HAND, [order_id, event_id])
        ledger.execute("DELETE FROM orders WHERE id = %s", [order_id])
    broken = house.broken(event_id)
    assert [promise.partition(":")[0] for promise in broken] == [
        "nothing is oversold after any commit",
        "the counters are what the orders add up to after every commit",
        "an order is written once and never removed",
        "no order in the ledger came from nowhere",
    ]


def test_an_accepted_order_that_the_ledger_never_had_is_missed(house: House) -> None:
    event_id = sell_out(house)
    number = house.record.asked(
        "POST", "/orders", b'{"eventId": %d, "quantity": 1, "userId": "hal"}' % event_id
    )
    house.record.told(number, 202, b'{"id": "lost", "status": "pending"}')
    assert house.broken(event_id) == ["every accepted order has its final answer in the ledger: lost"]
