"""Notices a Valkey that is not the one it was: started again, back from a snapshot, a replica in its place.

Such a server may remember less than was written, and is not believed: every event in it is unloaded, and so
filled from the ledger again. Servers are told apart by their replication id: a start gives a new one, and so
does a replica's promotion (docs/decisions/0011). Whoever was connected to the server that was has lost that
connection, so the time to look is when one is opened; a call over an open one costs nothing.
It never asks the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from valkey.exceptions import MovedError, ResponseError

from chalicelib.gate import keys
from chalicelib.gate.scripts import Script
from chalicelib.log import log

_UNLOAD = Script("unload")
_history_of = re.compile(rb"^master_replid:(\w+)", re.MULTILINE).search


class Greeting:
    """Called with each connection that a client has opened, before its first command. Thread-safe.

    It costs a connection one more command, and a process's first one to each server another.
    """

    def __init__(self, cluster: Callable[[], Any] | None = None) -> None:
        """`cluster` makes a client of all nodes whose connections are not greeted; None without a cluster."""
        self._cluster = cluster
        self._met: set[bytes] = set()

    def __call__(self, connection: Any) -> None:
        """Sees to it that nothing is believed that the server has from a time before itself.

        Raises what the client raises. The connection is closed then, and greeted when it is opened again.
        """
        try:
            self._greet(Line(connection))
        except BaseException:
            connection.disconnect()
            raise

    def _greet(self, line: Line) -> None:
        history = _history(line)
        if history is None or history in self._met:
            return
        try:
            meet(line, line, history)
        except MovedError:  # another node has what all of them share
            if self._cluster is None:
                raise
            with closing(self._cluster()) as shared:
                meet(line, shared, history)
        self._met.add(history)


class Line:
    """One connection as a client: it asks this server, whichever has the key."""

    def __init__(self, connection: Any) -> None:
        """`connection` is valkey-py's, open."""
        self._connection = connection

    def execute_command(self, *command: object) -> Any:
        """Sends a command and returns the answer. Raises what the client does, MovedError as well."""
        self._connection.send_command(*command)
        return self._connection.read_response()

    def evalsha(self, *arguments: object) -> Any:
        """Runs a script by its digest."""
        return self.execute_command("EVALSHA", *arguments)

    def eval(self, *arguments: object) -> Any:
        """Runs a script by its text."""
        return self.execute_command("EVAL", *arguments)


def meet(server: Any, shared: Any, history: bytes) -> None:
    """Unloads every event of a server that was not met before. Whoever dies in it leaves it to be done.

    `server` is a line to it; `shared` has what the servers of a cluster share. The server is remembered
    last. An event that was unloaded for it, or was filled on it after a wipe, is left alone, so that any
    number may meet a server at the same time.
    """
    if shared.execute_command("SISMEMBER", keys.HISTORIES, history):
        return
    doubted = sum(
        _is_unloaded(server, int(event_id), history)
        for event_id in shared.execute_command("SMEMBERS", keys.LOADED)
    )
    shared.execute_command("SADD", keys.HISTORIES, history)
    if doubted:
        log("gate-doubted", "warning", events=doubted)


def unload(server: Any, event_id: int, history: bytes) -> bool:
    """Makes an event cold, once for each `history`; returns whether it did."""
    where = [keys.terms(event_id), keys.stock(event_id), keys.epoch(event_id), keys.buyers(event_id)]
    return bool(_UNLOAD(server, where, [history]))


def _is_unloaded(server: Any, event_id: int, history: bytes) -> bool:
    try:
        return unload(server, event_id, history)
    except MovedError:
        return False  # the event is in another server, which has its own greeting


def _history(line: Line) -> bytes | None:
    """The server's replication id; None for a replica, and for a server that does not tell."""
    try:
        told: bytes = line.execute_command("INFO", "replication")
    except ResponseError:
        return None
    found = _history_of(told)
    return found[1] if found is not None and b"role:master" in told else None
