"""Many buyers at once at one real gate: never more claims than tickets, and a careless gate is caught."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.errors import Rejected
from chalicelib.gate import keys
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.gate.quotas import Claim
from chalicelib.model import OrderIntent
from tests.support.events import an_event, an_intent
from tests.support.valkey import valkey_server

TICKETS, BUYERS, THREADS = 200, 2_000, 16


class LookThenTakeGate(Gate):
    """The negative control: looks at the stock in one trip and takes it in another."""

    def admit(self, intent: OrderIntent, *, key_is_new: bool = False) -> Claim:  # noqa: ARG002 - no keys here
        """Gives what was there when it looked."""
        client: Any = self._client
        if int(client.hget(keys.stock(intent.event_id), "11")) < 1:
            raise Rejected("sold-out", "")
        client.hincrby(keys.stock(intent.event_id), "11", -1)
        return Claim(b"{}")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with valkey_server() as url:
        connected = connect(url, timeout_ms=5_000)
        yield connected
        connected.close()


def claims_given(gate: Gate) -> int:
    """Lets the whole crowd in at once; returns how many were admitted."""
    epoch = gate.begin_load(1)
    assert epoch is not None
    gate.load(an_event(1, (TICKETS,)), epoch)

    def ask(number: int) -> int:
        try:
            gate.admit(an_intent(user=str(number)))
        except Rejected:
            return 0
        return 1

    with ThreadPoolExecutor(THREADS) as crowd:
        return sum(crowd.map(ask, range(BUYERS)))


def test_a_crowd_gets_exactly_the_tickets_there_are(client: Any) -> None:
    client.flushall()
    assert claims_given(Gate(client)) == TICKETS


def test_a_gate_that_looks_before_it_takes_is_caught_overselling(client: Any) -> None:
    client.flushall()
    assert claims_given(LookThenTakeGate(client)) > TICKETS


def test_claims_and_returns_at_once_leave_the_stock_exact(client: Any) -> None:
    client.flushall()
    gate = Gate(client)
    epoch = gate.begin_load(1)
    assert epoch is not None
    gate.load(an_event(1, (TICKETS,)), epoch)

    def ask_and_return(number: int) -> None:
        intent = an_intent(user=str(number))
        gate.admit(intent)
        gate.settle(1, kept=[], returned=[intent.order_id, intent.order_id])

    with ThreadPoolExecutor(THREADS) as crowd:
        list(crowd.map(ask_and_return, range(BUYERS)))
    found = gate.availability(1)
    assert found is not None
    assert [stock.available for stock in found[0]] == [TICKETS]
