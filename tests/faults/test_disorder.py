"""Fault 10: deliveries doubled, delayed and out of order, between buys, cancels, payments and expiries.

Every order is on the real queue one to three times, each copy late by a time of its own, so that one comes
before an older one, after its own cancellation, and after its own hold. Two workers take them.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from chalicelib.expiry import expire
from chalicelib.queue.client import QueueClient
from chalicelib.queue.sender import Sender
from infra.local import sqs
from tests.faults.house import House, at_once
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BUYERS, TICKETS, PER_BUYER, HOLD_SECONDS = 180, 60, 4, 2
FINAL = {"confirmed", "rejected", "cancelled", "expired"}


class Disorder(Sender):
    """The real queue's sender, which sends copies, each with a delay of its own."""

    def __init__(self, client: QueueClient, seed: int) -> None:
        super().__init__(client)
        self._chance = random.Random(seed)
        self.copies: Counter[int] = Counter()

    def send(self, body: str, group: str) -> str:
        """Sends one to three copies; the first may be late as well."""
        copies = self._chance.randint(1, 3)
        self.copies[copies] += 1
        for _ in range(copies):
            delay = self._chance.choice((0, 0, 1, 2, 4))
            answer = self._client.call(
                "SendMessage", {"MessageBody": body, "MessageGroupId": group, "DelaySeconds": delay}
            )
        return str(answer["MessageId"])


class Provider:
    """Brings payments, some twice, some of the wrong amount; keeps what it was told."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.told: dict[str, str] = {}
        self.contradictions: list[str] = []

    def pay(self, order_id: str, reference: str, amount: int) -> None:
        """One notice; a reference must hear the same every time."""
        notice = {"reference": reference, "orderId": order_id, "amount": amount, "currency": "EUR"}
        answer = self._house.api.pay(self._house.services, notice | {"outcome": "succeeded"})  # type: ignore[arg-type]
        assert answer.status in {200, 503}, answer.text
        if answer.status == 503:  # it is on its way: the provider comes again
            return
        state = answer.json["state"]
        if self.told.setdefault(reference, state) != state and self.told[reference] != "applied":
            self.contradictions.append(f"{reference}: {self.told[reference]}, then {state}")


@contextmanager
def holds_running_out(house: House) -> Iterator[None]:
    """The schedule, as often as it runs locally or oftener, until the block ends."""
    over, failure = threading.Event(), []

    def run() -> None:
        try:
            while not over.wait(0.2):
                expire(house.services)
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert failure == []


def live(house: House, provider: Provider, event_id: int, number: int, seed: str) -> str | None:
    """One buyer: buys, and then pays, pays twice, pays wrong, cancels or forgets. Returns the order's id."""
    chance = random.Random(f"{seed} {number}")
    quantity = chance.randint(1, 3)
    answer = house.order(event_id, f"u{number % 100}", quantity, Idempotency_Key=f"k{number}")
    assert answer.status in {202, 409}, answer.text
    if answer.status == 409:
        return None
    order_id: str = answer.json["id"]
    for step in range(chance.randint(0, 4)):
        if chance.random() < 0.35:
            until(lambda: order_id in house.statuses(event_id), "it is decided")
        if chance.random() < 0.3:
            deleted = house.api("DELETE", f"/orders/{order_id}")
            assert deleted.status in {200, 409}, deleted.text
        else:
            wrong = chance.random() < 0.2
            provider.pay(order_id, f"{order_id}/{chance.randint(0, 1)}", 2500 * quantity + wrong)
        if step == 1:
            again = house.order(event_id, f"u{number % 100}", quantity, Idempotency_Key=f"k{number}")
            assert (again.status, again.json["id"]) == (202, order_id)
    return order_id


@pytest.mark.parametrize("policy", ["accept-if-available", "refund"])
def test_deliveries_in_disorder_between_buys_cancels_payments_and_expiries_end_exact(
    house: House, policy: str
) -> None:
    event_id = house.event(TICKETS, holdSeconds=HOLD_SECONDS, latePayment=policy, maxPerBuyer=PER_BUYER)
    provider = Provider(house)
    with closing(sqs.client(house.order_queue_url)) as client:
        disorder = Disorder(client, seed=1)
        house.services.__dict__["queue"] = disorder
        with house.worker(BATCH="20"), house.worker(BATCH="20"), holds_running_out(house):
            bought: list[Any] = at_once(
                12, lambda number: live(house, provider, event_id, number, policy), range(BUYERS)
            )
            accepted = [order_id for order_id in bought if order_id]
            house.until_decided(event_id, accepted)
            house.until_quiet()
            until(lambda: set(house.statuses(event_id).values()) <= FINAL, "every hold is over")
    assert set(disorder.copies) == {1, 2, 3}
    statuses = house.statuses(event_id)
    assert sorted(statuses) == sorted(accepted)
    assert {"confirmed", "cancelled", "expired"} <= set(statuses.values())
    assert provider.contradictions == []
    assert house.dead_letters() == 0
    house.reconcile()
    assert house.broken(event_id) == []
