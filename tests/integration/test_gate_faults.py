"""The gate when Valkey forgets or hangs up: it refills itself, and no order is admitted twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.admission import place
from chalicelib.errors import Rejected, Unavailable
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.realign import realign
from chalicelib.services import utc_now
from infra.local.layout import free_port
from tests.fakes.services import MemoryQueue, MemoryServices
from tests.support.batches import a_draft, ledger_at, services_with
from tests.support.cutting_proxy import cutting_proxy
from tests.support.events import an_event, an_intent
from tests.support.valkey import address_of, valkey_server
from tests.support.waiting import until

REFILL_SECONDS = 2.0
"""What is promised of a gate whose Valkey was wiped."""
BUYERS = 8
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    connected = connect(address, timeout_ms=1_000)
    connected.flushall()
    yield connected
    connected.close()


def filled(gate: Gate, capacity: int = 100) -> Gate:
    epoch = gate.begin_load(1)
    assert epoch is not None
    assert gate.load(an_event(1, (capacity,)), epoch)
    return gate


def stock_and_claims(gate: Gate, event_id: int = 1) -> tuple[list[int], int]:
    found = gate.survey(event_id)
    assert found is not None
    return list(found.stock.values()), len(found.claims)


def scripts_run(client: Any) -> int:
    statistics = client.info("commandstats")
    return sum(statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha"))


def wait_for_more(accepted: list[float], orders: int) -> None:
    enough = len(accepted) + orders
    until(lambda: len(accepted) >= enough, "orders come")


def test_a_wiped_gate_refills_itself_while_orders_come(database: str, client: Any) -> None:
    with ledger_at(database, connections=4) as ledger:
        services = services_with(ledger, Gate(client), clock=utc_now, log_level="error")
        services.__dict__["queue"] = MemoryQueue()
        event = ledger.create_event(a_draft(1_000_000))
        accepted: list[float] = []
        stop = threading.Event()

        def ask() -> int:
            refusals = 0
            while not stop.is_set():
                try:
                    place(services, an_intent(event_id=event.id))
                    accepted.append(time.monotonic())
                except Unavailable:
                    refusals += 1
            return refusals

        with ThreadPoolExecutor(BUYERS) as crowd:
            asked = [crowd.submit(ask) for _ in range(BUYERS)]
            waits = []
            for _ in range(3):
                wait_for_more(accepted, 50)
                client.flushall()
                client.script_flush()
                wiped = time.monotonic()
                wait_for_more(accepted, 50)
                waits.append(next(at for at in accepted if at > wiped) - wiped)
            stop.set()
            assert sum(each.result() for each in asked) == 0
        assert max(waits) < REFILL_SECONDS
        stock, claims = stock_and_claims(services.gate, event.id)
        assert stock == [1_000_000 - claims]


def test_a_filler_that_died_holds_the_refill_up_for_less_than_is_promised(client: Any) -> None:
    services = MemoryServices()
    services.gate = Gate(client)
    event = services.ledger.create_event(a_draft(10))
    assert services.gate.begin_load(event.id) is not None  # and is never heard of again
    began = time.monotonic()

    def accepted() -> bool:
        with suppress(Unavailable):
            return not place(services, an_intent()).replayed
        return False

    until(accepted, "the gate answers")
    assert time.monotonic() - began < REFILL_SECONDS


def test_claims_made_before_a_wipe_and_sold_after_it_are_taken_off_again(client: Any) -> None:
    services = MemoryServices()
    services.gate = Gate(client)
    event = services.ledger.create_event(a_draft(10))
    for _ in range(3):
        place(services, an_intent(2))
    client.flushall()
    place(services, an_intent(1))
    assert stock_and_claims(services.gate) == ([9], 1)
    services.fulfil()
    assert realign(services, event.id) == {event.ticket_types[0].id: -6}
    assert stock_and_claims(services.gate) == ([3], 0)


def test_a_killed_connection_costs_one_retry_and_no_double_claim(address: str, client: Any) -> None:
    gate = filled(Gate(client))
    gate.admit(an_intent())
    killer = connect(address, timeout_ms=1_000)
    before = client.client_id()
    connections = killer.info("stats")["total_connections_received"]
    runs = scripts_run(killer)
    assert killer.client_kill_filter(_id=before) == 1
    gate.admit(an_intent())
    assert scripts_run(killer) == runs + 1
    assert killer.info("stats")["total_connections_received"] == connections + 1
    assert client.client_id() != before
    assert stock_and_claims(gate) == ([98], 2)
    killer.close()


@pytest.mark.parametrize("key", [None, "k"])
def test_an_answer_that_is_lost_on_its_way_is_asked_for_again_and_is_one_claim(
    address: str, client: Any, key: str | None
) -> None:
    filled(Gate(client)).admit(an_intent())
    with cutting_proxy(int(urlsplit(address).port or 0)) as proxy:
        distant = connect(f"valkey://127.0.0.1:{proxy.port}/0", timeout_ms=1_000)
        gate = Gate(distant)
        intent = an_intent(3, key=key)
        gate.ping()
        runs = scripts_run(client)
        proxy.cut(intent.order_id.encode())
        claim = gate.admit(intent)
        assert (proxy.cuts, scripts_run(client) - runs) == (1, 2)
        assert intent.order_id in claim.decode()
        assert stock_and_claims(gate) == ([96], 2)
        proxy.cut(intent.order_id.encode())
        gate.settle(1, [], [intent.order_id])
        assert (proxy.cuts, stock_and_claims(gate)) == (2, ([99], 1))
        distant.close()


def test_fifty_requests_with_one_key_at_once_are_one_order(client: Any) -> None:
    services = MemoryServices()
    services.gate = Gate(client)
    services.ledger.create_event(a_draft(100))
    with ThreadPoolExecutor(50) as crowd:
        placed = list(crowd.map(lambda _: place(services, an_intent(2, key="k")), range(50)))
    assert len({each.order.order_id for each in placed}) == 1
    assert sorted(each.replayed for each in placed) == [False] + [True] * 49
    assert len(set(services.queue.bodies)) == 1
    assert stock_and_claims(services.gate) == ([98], 1)


def test_one_buyer_with_many_orders_at_once_gets_no_more_than_the_cap(client: Any) -> None:
    services = MemoryServices()
    services.gate = Gate(client)
    services.ledger.create_event(a_draft(100, max_per_buyer=4))

    def ask(_: int) -> bool:
        with suppress(Rejected):
            return bool(place(services, an_intent(2)))
        return False

    with ThreadPoolExecutor(20) as crowd:
        assert sum(crowd.map(ask, range(20))) == 2


@pytest.mark.parametrize("cluster", [False, True])
def test_a_gate_whose_server_is_gone_is_unavailable_and_answers_when_it_is_back(cluster: bool) -> None:
    port = free_port()
    gone = Gate(connect(address_of(port, cluster=cluster), timeout_ms=1_000))
    with pytest.raises(Unavailable):
        gone.admit(an_intent())
    with valkey_server(cluster=cluster, port=port):
        until(lambda: answers(gone), "the gate answers")
        filled(gone).admit(an_intent())
    for call in (lambda: gone.admit(an_intent()), lambda: gone.survey(1), gone.ping):
        with pytest.raises(Unavailable):
            call()
    with valkey_server(cluster=cluster, port=port):
        until(lambda: answers(gone), "the gate answers")
        assert gone.survey(1) is None


def answers(gate: Gate) -> bool:
    with suppress(Unavailable):
        gate.ping()
        return True
    return False
