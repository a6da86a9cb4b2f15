"""A Valkey that is not the one it was is noticed with the next connection; an open one costs nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier
from typing import Any

import pytest
import valkey
from valkey.crc import key_slot
from valkey.exceptions import ConnectionError as Disconnected

from chalicelib.errors import Unavailable
from chalicelib.gate import keys
from chalicelib.gate.client import connect
from chalicelib.gate.gate import Gate
from chalicelib.gate.greeting import meet
from chalicelib.gate.refusals import NotLoaded
from tests.support.events import an_event, an_intent
from tests.support.valkey import LAST_SLOT, has_all_slots, valkey_server
from tests.support.waiting import until

EVENTS = (1, 2, 3)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
def onlooker(address: str) -> Iterator[Any]:
    """A client of the emptied server that greets nobody."""
    with valkey.Valkey.from_url(address) as client:
        client.flushall()
        client.config_resetstat()
        yield client


@contextmanager
def a_process(address: str) -> Iterator[Gate]:
    """A gate with a client of its own."""
    with closing(connect(address, timeout_ms=1_000)) as client:
        yield Gate(client)


def fill(gate: Gate) -> None:
    for event_id in EVENTS:
        epoch = gate.begin_load(event_id)
        assert epoch is not None
        assert gate.load(an_event(event_id, (10,)), epoch)


def promote(server: Any) -> None:
    """Makes the server another: a replica of nobody, and then a primary, with all that it knew."""
    server.replicaof("127.0.0.1", 1)
    server.replicaof("NO", "ONE")


def cold(gate: Gate) -> list[int]:
    return [event_id for event_id in EVENTS if gate.availability(event_id) is None]


def calls(server: Any, *commands: str) -> int:
    statistics = server.info("commandstats")
    return sum(statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in commands)


def test_a_fresh_server_is_met_without_work(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        gate.ping()
    assert onlooker.scard(keys.HISTORIES) == 1
    assert calls(onlooker, "evalsha", "eval") == 0


def test_what_was_filled_after_a_wipe_of_the_same_server_is_believed(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        gate.ping()
        onlooker.flushall()
        fill(gate)
    with a_process(address) as gate:
        assert cold(gate) == []
        assert onlooker.scard(keys.HISTORIES) == 1


def test_a_connection_costs_one_command_more_and_a_processes_first_one_two(
    address: str, onlooker: Any
) -> None:
    with a_process(address) as gate:
        gate.ping()
    with a_process(address) as gate:
        fill(gate)
        onlooker.config_resetstat()
    with a_process(address) as gate:
        gate.admit(an_intent())
        assert calls(onlooker, "sismember", "smembers") == 1
        infos = calls(onlooker, "info")
        for _ in range(5):
            gate.admit(an_intent())
        assert calls(onlooker, "info") == infos + 1, "this look alone"
        with ThreadPoolExecutor(1) as another_thread:
            another_thread.submit(gate.admit, an_intent()).result()
        assert calls(onlooker, "info") == infos + 3, "two looks and a connection"
        assert calls(onlooker, "sismember", "smembers") == 1


def test_a_server_that_became_another_is_believed_in_nothing(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        fill(gate)
        gate.admit(an_intent())
    promote(onlooker)
    with a_process(address) as gate:
        assert cold(gate) == list(EVENTS)
        with pytest.raises(NotLoaded):
            gate.admit(an_intent())
        assert len(gate.held(1)) == 1


def test_who_comes_next_leaves_alone_what_was_filled_again(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        fill(gate)
    promote(onlooker)
    with a_process(address) as gate:
        assert cold(gate) == list(EVENTS)
        fill(gate)
    with a_process(address) as gate:
        assert cold(gate) == []


def test_a_crowd_that_notices_at_once_does_no_harm(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        fill(gate)
    promote(onlooker)
    start = Barrier(8)
    with a_process(address) as gate:

        def ask(_: int) -> None:
            start.wait(10)
            gate.ping()

        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(ask, range(8)))
        fill(gate)
        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(ask, range(8)))
        assert cold(gate) == []


class Dying:
    """A line to a server that breaks after so many commands."""

    def __init__(self, server: Any, commands: int) -> None:
        self._server, self._left = server, commands

    def execute_command(self, *command: Any) -> Any:
        """Does it, or breaks before."""
        self._left -= 1
        if self._left < 0:
            raise Disconnected
        return self._server.execute_command(*command)

    def eval(self, *arguments: Any) -> Any:
        """Runs a script."""
        return self.execute_command("EVAL", *arguments)

    def evalsha(self, *arguments: Any) -> Any:
        """Runs a script."""
        return self.execute_command("EVALSHA", *arguments)


def test_who_dies_at_any_moment_of_the_greeting_leaves_the_rest_to_the_next(
    address: str, onlooker: Any
) -> None:
    commands = 3 + len(EVENTS)
    for last in range(commands):
        onlooker.flushall()
        with a_process(address) as gate:
            fill(gate)
            history = b"%040d" % last
            dying = Dying(onlooker, last)
            with pytest.raises(Disconnected):
                meet(dying, dying, history)
            assert not onlooker.sismember(keys.HISTORIES, history)
            meet(onlooker, onlooker, history)
            assert cold(gate) == list(EVENTS)
            assert onlooker.sismember(keys.HISTORIES, history)


def test_a_greeting_that_fails_is_no_connection_and_no_endless_loop(address: str, onlooker: Any) -> None:
    with a_process(address) as gate:
        fill(gate)
    promote(onlooker)
    onlooker.rename(keys.LOADED, "aside")
    onlooker.set(keys.LOADED, "not a set")
    onlooker.config_resetstat()
    with a_process(address) as gate:
        for _ in range(3):
            with pytest.raises(Unavailable):
                gate.admit(an_intent())
        assert calls(onlooker, "smembers") <= 6
        assert calls(onlooker, "evalsha", "eval") == 0, "nobody was admitted"
        onlooker.rename("aside", keys.LOADED)
        with pytest.raises(NotLoaded):
            gate.admit(an_intent())


def test_a_replica_is_not_met(address: str, onlooker: Any) -> None:
    onlooker.replicaof("127.0.0.1", 1)
    try:
        with a_process(address) as gate:
            gate.ping()
        assert onlooker.exists(keys.HISTORIES) == 0
    finally:
        onlooker.replicaof("NO", "ONE")


def test_a_replica_in_the_primarys_place_is_another_server(address: str, onlooker: Any) -> None:
    with valkey_server() as standby, valkey.Valkey.from_url(standby) as replica:
        replica.replicaof("127.0.0.1", onlooker.connection_pool.connection_kwargs["port"])
        until(lambda: replica.info("replication")["master_link_status"] == "up", "they are together")
        with a_process(address) as gate:
            fill(gate)
        until(lambda: replica.exists(keys.terms(EVENTS[-1])) == 1, "the replica has what the primary has")
        shared = replica.info("replication")["master_replid"]
        assert replica.sismember(keys.HISTORIES, shared), "until here they are one history"
        replica.replicaof("NO", "ONE")
        with a_process(standby) as gate:
            assert cold(gate) == list(EVENTS)
        with a_process(address) as gate:
            assert cold(gate) == [], "the control: the primary is who it was"


@contextmanager
def two_nodes() -> Iterator[tuple[str, list[Any]]]:
    """A cluster whose nodes have half of the slots each; its address, and a client of each node."""
    half = LAST_SLOT // 2
    with (
        valkey_server(cluster=True, slots=(0, half)) as first,
        valkey_server(cluster=True, slots=(half + 1, LAST_SLOT)) as second,
    ):
        nodes: list[Any] = [valkey.Valkey.from_url(url.partition("?")[0]) for url in (first, second)]
        port, bus = (int(nodes[1].config_get(name)[name]) for name in ("port", "cluster-port"))
        nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        until(lambda: all(has_all_slots(node) for node in nodes), "the nodes have met")
        yield first, nodes
        for node in nodes:
            node.close()


@pytest.mark.parametrize("changed", [0, 1])
def test_of_a_cluster_only_the_node_that_became_another_is_doubted(changed: int) -> None:
    with two_nodes() as (address, nodes):
        with a_process(address) as gate:
            fill(gate)
            assert cold(gate) == []
        homes = [key_slot(keys.terms(event_id)) > LAST_SLOT // 2 for event_id in EVENTS]
        assert set(homes) == {False, True}
        nodes[changed].execute_command("DEBUG", "CHANGE-REPL-ID")
        with a_process(address) as gate:
            doubted = [event_id for event_id, home in zip(EVENTS, homes, strict=True) if home == changed]
            assert cold(gate) == doubted
            for event_id in doubted:
                epoch = gate.begin_load(event_id)
                assert epoch is not None
                assert gate.load(an_event(event_id, (10,)), epoch)
        with a_process(address) as gate:
            assert cold(gate) == []
