"""Fault 8: nobody knows whether the queue has the order. Stored or lost, it is decided once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from infra.local import sqs
from tests.api.conftest import Api
from tests.faults.house import House, at_once
from tests.faults.proxy import LosingProxy, Loss, losing_proxy

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BUYERS, CAPACITY = 12, 100
TIMEOUT_MS = "400"


@contextmanager
def door_behind(house: House, timeout_ms: str = TIMEOUT_MS) -> Iterator[tuple[Api, LosingProxy]]:
    """The door, with a proxy between it and the queue."""
    url = urlsplit(house.order_queue_url)
    with losing_proxy(int(url.port or 0), b"AmazonSQS.SendMessage") as proxy:
        through = url._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
        services = house.services_with(ORDER_QUEUE_URL=through, QUEUE_TIMEOUT_MS=timeout_ms)
        yield house.door(services), proxy


def buy(api: Api, event_id: int, number: int) -> tuple[int, str]:
    """One ticket for buyer `number`; status, and the order's id if there is one."""
    body = {"eventId": event_id, "quantity": 1, "userId": f"u{number}"}
    answer = api("POST", "/orders", body, Idempotency_Key=f"k{number}")
    if answer.status == 503:
        assert "retry-after" in answer.headers
        return 503, ""
    assert answer.status == 202, answer.text
    return 202, answer.json["id"]


@pytest.mark.parametrize("loss", Loss)
def test_an_order_whose_send_got_no_answer_is_decided_once(house: House, loss: Loss) -> None:
    event_id = house.event(CAPACITY)
    with door_behind(house) as (api, proxy):
        proxy.choose = lambda: loss
        first = at_once(BUYERS, lambda number: buy(api, event_id, number), range(BUYERS))
        assert {status for status, _ in first} == {503}
        assert set(proxy.lost) == {loss}
        stored = sum(sqs.waiting(house.order_queue_url))
        assert stored >= BUYERS if loss in {Loss.ANSWER_HANG, Loss.ANSWER_CUT} else stored == 0
        claims = house.services.gate.pending(event_id, None, 1_000)
        assert len(claims) == BUYERS, "who may be on the queue keeps the claim"
        proxy.choose = lambda: None
        again = [buy(api, event_id, number) for number in range(BUYERS)]
    assert {order_id for _, order_id in again} == {claim.order_id for claim in claims}
    house.reconcile()
    with house.worker():
        house.until_decided(event_id, [claim.order_id for claim in claims])
        house.until_quiet()
    assert Counter(house.statuses(event_id).values()) == {"confirmed": BUYERS}
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(BUYERS,)]
    assert house.broken(event_id) == []


def test_an_order_that_was_certainly_not_sent_gives_its_ticket_back(house: House) -> None:
    event_id = house.event(CAPACITY)
    with door_behind(house) as (api, proxy):
        proxy.close()
        assert {buy(api, event_id, number)[0] for number in range(BUYERS)} == {503}
    stock = house.services.gate.availability(event_id)
    assert stock is not None
    assert [each.available for each in stock[0]] == [CAPACITY]
    assert house.services.gate.pending(event_id, None, 1_000) == []
    ids = [buy(house.api, event_id, number)[1] for number in range(BUYERS)]
    with house.worker():
        house.until_decided(event_id, ids)
        house.until_quiet()
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(BUYERS,)]
    assert house.broken(event_id) == []
