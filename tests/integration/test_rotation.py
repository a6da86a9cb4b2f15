"""Passwords change in mid-sale, in real stores and a real Secrets Manager, and nothing is lost by it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.fulfilment import fulfil
from chalicelib.gate.client import connect
from chalicelib.ledger.connections import Connections
from chalicelib.ledger.ledger import Ledger
from chalicelib.ledger.migrate import migrate
from chalicelib.payments import sign
from chalicelib.secret import Login, constant
from chalicelib.services import Services
from chalicelib.settings import from_environment
from infra.local import sqs
from infra.local.event_source import EventSource, Mapping
from tests.api.conftest import Api
from tests.faults.house import House
from tests.support.passwords import ROLE, ValkeyUsers, change_role, lets_in, make_role
from tests.support.postgres import Server, running
from tests.support.sqs import sqs_server
from tests.support.valkey import valkey_server
from tests.support.vault import Vault
from tests.support.waiting import until

pytestmark = pytest.mark.slow

BUYERS = 120
TRIES = 3
"""How often a caller asks again that heard 503: what was under way when its connection was cut."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with sqs_server() as address:
        yield address


@pytest.fixture(scope="module")
def vault(endpoint: str) -> Iterator[Vault]:
    with closing(Vault(endpoint)) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The module's own: it asks one role for its password."""
    with running() as made:
        make_role(made, "postgres", "unset")
        yield made


@pytest.fixture
def house(server: Server, endpoint: str, tmp_path: Path) -> Iterator[House]:
    with valkey_server() as valkey_url, server.database() as dsn:
        migrate(dsn)
        with closing(House(dsn, valkey_url, endpoint, tmp_path)) as made:
            yield made


def login(password: str, **more: object) -> dict[str, object]:
    """As Secrets Manager keeps it for RDS; the host is another than the one that we are told to use."""
    return {"engine": "postgres", "username": ROLE, "password": password, "host": "db.invalid", **more}


@contextmanager
def working(services: Services, house: House) -> Iterator[None]:
    """The queue function behind the real event source, in a thread."""
    mapping = Mapping(lambda event, _: fulfil(services, event), "fulfil", 20, 0.05)
    with closing(sqs.client(house.order_queue_url)) as client:
        source = EventSource(mapping, client, services.settings)
        thread = threading.Thread(target=source.run)
        thread.start()
        try:
            yield
        finally:
            source.stop()
            thread.join()


@dataclass
class Crowd:
    """Buyers who come one after another and look at their orders, each asking again when not now."""

    api: Api
    event_id: int
    order_ids: list[str] = field(default_factory=list)
    unheard: list[Any] = field(default_factory=list)
    asked_again: int = 0

    def buy(self, buyers: range) -> None:
        """Each buys one ticket, and looks at the order and at the event."""
        for number in buyers:
            body = {"eventId": self.event_id, "quantity": 1, "userId": f"buyer-{number}"}
            placed = self._answered("POST", "/orders", body, Idempotency_Key=f"key-{number}")
            if placed.status == 202:
                self.order_ids.append(placed.json["id"])
                self._answered("GET", f"/orders/{placed.json['id']}")
                self._answered("GET", f"/events/{self.event_id}")

    def _answered(self, *words: Any, **headers: str) -> Any:
        for _ in range(TRIES):
            answer = self.api(*words, **headers)
            if answer.status != 503:
                return answer
            self.asked_again += 1
        self.unheard.append(answer)
        return answer


def half_sold(crowd: Crowd) -> bool:
    return len(crowd.order_ids) > BUYERS // 3


def test_a_database_password_changes_in_mid_sale_and_no_order_is_lost(
    house: House, server: Server, vault: Vault
) -> None:
    server.execute(f"ALTER ROLE {ROLE} PASSWORD 'first'")
    secret_id = vault.put(login("first"))
    services = house.services_with(DATABASE_SECRET_ID=secret_id, **vault.environment())
    crowd = Crowd(house.door(services), house.event(BUYERS))

    with working(services, house), ThreadPoolExecutor(4) as pool:
        buyers = [pool.submit(crowd.buy, range(start, BUYERS, 4)) for start in range(4)]
        until(lambda: half_sold(crowd), "the sale is under way")
        server.execute(f"ALTER ROLE {ROLE} PASSWORD 'second'")
        vault.change(secret_id, login("second"))
        change_role(server, "second", cut=True)
        finish(buyers)
        house.until_decided(crowd.event_id, crowd.order_ids)

    assert not lets_in(server, "postgres", "first")
    assert crowd.unheard == []
    assert len(crowd.order_ids) == BUYERS
    assert set(house.statuses(crowd.event_id).values()) == {"confirmed"}
    house.until_quiet()
    assert house.broken(crowd.event_id) == []


def finish(buyers: list[Future[None]]) -> None:
    for buyer in buyers:
        buyer.result(60)


def test_without_reading_the_secret_again_the_ledger_is_lost(house: House, server: Server) -> None:
    """The negative control: the same change, and a login that stays what it was."""
    server.execute(f"ALTER ROLE {ROLE} PASSWORD 'first'")
    old = constant(Login(ROLE, "first"))
    with closing(Connections(house.dsn, 4, 3_000, secret=old)) as connections:
        ledger = Ledger(connections)
        ledger.ping()
        change_role(server, "second", cut=True)
        until(lambda: fails(ledger), "its connection is cut")
        for _ in range(TRIES):
            with pytest.raises(Unavailable, match="password"):
                ledger.ping()


def fails(ledger: Ledger) -> bool:
    try:
        ledger.ping()
    except Unavailable:
        return True
    return False


def test_between_password_and_secret_it_is_not_now_and_then_it_is_well(
    house: House, server: Server, vault: Vault
) -> None:
    """A rotation changes the password first: until the secret follows, nobody can know the new one."""
    server.execute(f"ALTER ROLE {ROLE} PASSWORD 'first'")
    secret_id = vault.put(login("first"))
    services = house.services_with(DATABASE_SECRET_ID=secret_id, **vault.environment())
    services.ledger.ping()
    change_role(server, "second", cut=True)
    until(lambda: fails(services.ledger), "its connection is cut")
    vault.change(secret_id, login("second"))
    until(lambda: not fails(services.ledger), "the secret is read again", seconds=5)


def test_the_providers_secret_changes_in_mid_sale_and_every_payment_is_taken(
    house: House, vault: Vault
) -> None:
    secret_id = vault.put("old-secret")
    settings = {"PAYMENT_SECRET": "not this one", "PAYMENT_SECRET_ID": secret_id, **vault.environment()}
    api = house.door(house.services_with(**settings))
    assert pay(api, "ref-1", "old-secret") == 200
    vault.change(secret_id, "new-secret")
    assert pay(api, "ref-2", "new-secret") == 200
    assert pay(api, "ref-3", "old-secret") == 401
    assert pay(api, "ref-4", "not this one") == 401
    assert pay(api, "ref-5", "new-secret") == 200


def pay(api: Api, reference: str, secret: str) -> int:
    """Brings a notice for an order that nobody knows; the status of the answer."""
    notice = {"reference": reference, "orderId": "unknown", "amount": 1, "currency": "EUR"}
    body = json.dumps({**notice, "outcome": "succeeded"}).encode()
    signature = sign(secret, int(time.time()), body)
    return api("POST", "/payments/events", body, Onsale_Signature=signature).status


def test_a_valkey_password_changes_under_load_and_no_call_fails(vault: Vault) -> None:
    with a_gate_with_a_login(vault) as (services, rotate), pinging(services, threads=4) as done:
        until(lambda: done[0] > 100, "calls are made")
        rotate()
        before = done[0]
        until(lambda: done[0] > before + 100, "calls are made with the new password")


def test_a_valkey_clusters_password_changes_and_the_next_call_does_not_notice(vault: Vault) -> None:
    """ElastiCache Serverless is always a cluster."""
    with a_gate_with_a_login(vault, cluster=True) as (services, rotate):
        services.gate.ping()
        rotate()
        services.gate.ping()


@contextmanager
def a_gate_with_a_login(
    vault: Vault, *, cluster: bool = False
) -> Iterator[tuple[Services, Callable[[], None]]]:
    """The service on a Valkey that asks for a password, and a function that changes it everywhere."""
    with valkey_server(cluster=cluster) as url, closing(ValkeyUsers(url.partition("?")[0])) as users:
        users.set_password(ROLE, "first")
        secret_id = vault.put(login("first"))

        def rotate() -> None:
            users.set_password(ROLE, "second")
            vault.change(secret_id, login("second"))
            users.cut(ROLE)

        environment = {**sqs.CREDENTIALS, **vault.environment(), "VALKEY_SECRET_ID": secret_id}
        services = Services(from_environment({**environment, "VALKEY_URL": url}))
        try:
            yield services, rotate
        finally:
            services.gate._client.close()


@contextmanager
def pinging(services: Services, threads: int) -> Iterator[list[int]]:
    """Calls the gate until the block ends; raises what a call raised. Yields the count."""
    done, stop = [0], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            services.gate.ping()
            done[0] += 1

    with ThreadPoolExecutor(threads) as pool:
        asking = [pool.submit(ask) for _ in range(threads)]
        try:
            yield done
        finally:
            stop.set()
            finish(asking)


def test_without_reading_the_secret_again_the_gate_is_lost() -> None:
    """The negative control."""
    with valkey_server() as url, closing(ValkeyUsers(url)) as users:
        users.set_password(ROLE, "first")
        with closing(connect(url, 1_000, constant(Login(ROLE, "first")))) as client:
            assert client.ping()
            users.set_password(ROLE, "second")
            users.cut(ROLE)
            with pytest.raises(Exception, match="password"):
                client.ping()
