"""What fails behind a deployed queue: alone, aside, seen, and put back when its cause is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.batches import an_order_of, message_of
from tests.support.deployed import Deployed
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

GIVEN_UP_SECONDS = 40
"""Five failures, with the waits between them, on a machine that is busy."""
HEALTHY = 9

FORBID = """
CREATE FUNCTION no_seat_map() RETURNS trigger AS $$ BEGIN
  IF NEW.user_id = 'mallory' THEN RAISE EXCEPTION 'no seat map'; END IF; RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER no_seat_map BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION no_seat_map()
"""
ALLOW = "DROP TRIGGER no_seat_map ON orders; DROP FUNCTION no_seat_map()"


def dead(stack: Deployed) -> list[dict[str, Any]]:
    """What operators see of the dead letters."""
    answer = stack.call("GET", "/ops/dead-letters?state=dead&limit=100")
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def waiting(stack: Deployed) -> int:
    """Messages on the order queue, handed out or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["OrderQueueUrl"], AttributeNames=names
    )
    return sum(int(found["Attributes"][name]) for name in names)


def send_with_poison(stack: Deployed, poison: str) -> list[str]:
    """Puts healthy orders and one message that nobody can read on the queue at once; the orders' ids."""
    event_id = stack.event(tickets=100)
    (type_id,) = stack.rows("SELECT id FROM ticket_types WHERE event_id = %s", event_id)[0]
    orders = [an_order_of(event_id, (type_id, 1)) for _ in range(HEALTHY)]
    bodies = [message_of(order) for order in orders]
    bodies.insert(4, poison)
    entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
    sent = stack.client("sqs").send_message_batch(QueueUrl=stack.outputs["OrderQueueUrl"], Entries=entries)
    assert not sent.get("Failed")
    return [order.order_id for order in orders]


def assert_the_poison_fails_alone(stack: Deployed, poison: str) -> None:
    before = len(dead(stack))
    orders = send_with_poison(stack, poison)
    confirmed = "SELECT count(*) FROM orders WHERE id = ANY(%s::uuid[]) AND status = 'confirmed'"
    until(lambda: stack.rows(confirmed, orders)[0][0] == HEALTHY, "the healthy orders are confirmed")
    until(lambda: waiting(stack) == 0, "nothing is on its way any more", GIVEN_UP_SECONDS)
    assert len(dead(stack)) == before + 1, "the poison is among the dead letters"


@contextmanager
def mapped_without_partial_answers(stack: Deployed) -> Iterator[None]:
    """The mapping as Chalice packages it: what a function reports as failed is deleted like the rest."""
    client, uuid = stack.client("lambda"), stack.outputs["MappingId"]
    assert stack.mapping()["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    client.update_event_source_mapping(UUID=uuid, FunctionResponseTypes=[])
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=uuid, FunctionResponseTypes=["ReportBatchItemFailures"])


def test_poison_among_good_orders_comes_back_alone_and_is_moved_aside(stack: Deployed) -> None:
    assert_the_poison_fails_alone(stack, json.dumps({"hello": "world"}))


def test_without_partial_answers_what_failed_is_lost_and_the_same_test_says_so(stack: Deployed) -> None:
    with mapped_without_partial_answers(stack), pytest.raises(AssertionError, match="the poison is among"):
        assert_the_poison_fails_alone(stack, json.dumps({"hello": "nobody"}))


def test_an_order_that_failed_is_seen_by_operators_and_put_back_by_them(stack: Deployed) -> None:
    event_id = stack.event()
    stack.rows(FORBID)
    try:
        order_id = stack.order(event_id, "mallory").json["id"]

        def letters() -> list[dict[str, Any]]:
            return [letter for letter in dead(stack) if letter["orderId"] == order_id]

        until(lambda: len(letters()) == 1, "it is a dead letter", GIVEN_UP_SECONDS)
        assert "no seat map" in letters()[0]["reason"]
        assert stack.status_of(order_id) == "pending"
    finally:
        stack.rows(ALLOW)
    wish = {"messageIds": [letters()[0]["messageId"]], "reason": "the seat map is there"}
    done = stack.call("POST", "/ops/dead-letters/redrive", wish)
    assert (done.status, done.json["moved"]) == (200, 1), done
    until(lambda: stack.status_of(order_id) == "confirmed", "it is confirmed")
    assert letters() == []
