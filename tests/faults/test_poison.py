"""Fault 5: poison in a batch of 500. The healthy are decided at once; the poison is given up alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local import sqs
from tests.faults.house import House
from tests.support.batches import an_order_of, message_of
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BATCH = 500
"""More than one transaction usually has; SQS event sources go to 10,000."""


def poisoned(body: str, **changes: Any) -> str:
    """The message with other fields."""
    return json.dumps(json.loads(body) | changes)


def poison_of(body: str) -> list[str]:
    """Bodies that no decision can be made of."""
    items = json.loads(body)["items"]
    return [
        "{",
        "null",
        "[]",
        json.dumps({"hello": "world"}),
        body[:-20],
        poisoned(body, schema=99),
        poisoned(body, orderId="not-an-id"),
        poisoned(body, items=[]),
        poisoned(body, items=[items[0] | {"quantity": 0}]),
        poisoned(body, items=[items[0] | {"quantity": -3}]),
        poisoned(body, items=[items[0] | {"quantity": 2**31}]),
        poisoned(body, items=[items[0] | {"unitPrice": 2**62}, items[0] | {"unitPrice": 2**62}]),
        poisoned(body, userId="a\0b"),
        poisoned(body, userId="x" * 10_000),
        poisoned(body, eventId=2**40),
        poisoned(body, acceptedAtMs=2**60),
        poisoned(body, userId="half a pair: \ud800"),
    ]


def odd_ones(event_id: int, type_id: int) -> list[str]:
    """Orders that can be read and not be sold: each has an answer, and spoils nobody else's."""
    return [
        message_of(an_order_of(event_id, (type_id + 1_000, 1), user="no such type")),
        message_of(an_order_of(event_id + 1_000, (type_id, 1), user="no such event")),
        message_of(an_order_of(event_id, (type_id, 2**30), user="a billion")),
        message_of(an_order_of(event_id, (2**31 + 5, 1), user="a type beyond the column")),
        message_of(an_order_of(event_id, (2**70, 1), user="a type beyond any column")),
        message_of(an_order_of(event_id, *[(type_id, 1)] * 40, user="forty lines")),
        message_of(an_order_of(event_id, (type_id, 1), user="ünïcode \U0001f3ab 'quoted\" {x,y} \\ NULL")),
        message_of(an_order_of(event_id, (type_id, 1), user="")),
        message_of(an_order_of(event_id, (type_id, 1), user="\U0001f3ab" * 600)),
    ]


def test_poison_in_a_batch_of_five_hundred_harms_nobody_else(house: House) -> None:
    event_id = house.event(1_000)
    (type_id,) = house.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    odd = odd_ones(event_id, type_id)
    poison = poison_of(message_of(an_order_of(event_id, (type_id, 1))))
    healthy = [an_order_of(event_id, (type_id, 1)) for _ in range(BATCH - len(poison) - len(odd))]
    bodies = [message_of(order) for order in healthy]
    for place, body in enumerate([*odd, *poison]):
        bodies.insert(place * 19, body)
    assert len(bodies) == BATCH
    house.send(bodies)
    with house.worker(BATCH=str(BATCH), WINDOW="1") as worker:
        house.until_decided(event_id, [order.order_id for order in healthy])
        assert house.dead_letters() == 0, "decided before anything was given up"
        until(lambda: house.dead_letters() == len(poison), "the poison is given up", seconds=60)
        house.until_quiet()
        applied = [
            json.loads(line) for line in worker.log.read_text().splitlines() if "batch-applied" in line
        ]
    assert (applied[0]["orders"], applied[0]["transactions"]) == (BATCH - len(poison), 1)
    statuses = house.statuses(event_id)
    assert {statuses[order.order_id] for order in healthy} == {"confirmed"}
    assert house.rows("SELECT count(*) FROM orders") == [(BATCH - len(poison),)]
    assert sqs.waiting(house.order_queue_url) == (0, 0)
    house.reconcile()
    (named,) = house.broken(event_id)
    assert named.startswith("no order without an answer lies among the dead letters: "), "and told apart"
