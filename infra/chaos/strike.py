"""Does a fault to a running stack: by a signal to one of its processes, or by a word to its Valkey.

Every process is named by the stack's state file and known by the time of its start, so that no other
process with the same number is ever struck. The stack's supervisor starts again what dies. It must not
know why or when a fault is wanted.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import psycopg

from infra.chaos.schedule import Kind
from infra.local import valkey
from infra.local.children import Identity
from infra.local.event_source import READY
from infra.local.layout import Layout
from infra.local.tenancy import leftovers

SIGNALS = {
    Kind.KILL_WORKER: ("worker", signal.SIGKILL),
    Kind.DROP_BATCH: ("worker", signal.SIGUSR1),
    Kind.DOUBLE_BATCH: ("worker", signal.SIGUSR2),
    Kind.CRASH_POSTGRES: ("postgres", signal.SIGQUIT),  # no checkpoint: it recovers from its log
    Kind.RESTART_POSTGRES: ("postgres", signal.SIGINT),
    Kind.KILL_VALKEY: ("valkey", signal.SIGKILL),  # what its append-only file has not got yet is lost
}
HEARD = {signal.SIGUSR1, signal.SIGUSR2}
"""Signals that a worker lives through, once it has said that it listens to them."""
GROWN_SECONDS = 2.0
"""A worker that is older hears them; a younger one may still be importing, and would die."""
PATIENCE_SECONDS = 60.0
"""For a victim that is down for another reason, and for one that has to come back; the supervisor's own."""
LOOK_SECONDS = 0.02

Asking = Callable[[], bool]


class NotOurs(Exception):
    """There is no stack here that may be struck. The message says why."""


class Missed(Exception):
    """A fault could not be done, or its victim did not come back. The message says why."""


class Struck(NamedTuple):
    """Who was struck, such as `worker-2`, and how to ask whether it is back; None when it never left."""

    victim: str
    is_back: Asking | None


class Strikers:
    """All that can be done to the stack of one state directory. Safe to use from several threads."""

    def __init__(self, layout: Layout, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """`patience_seconds` are for a victim that is down at the moment.

        Raises NotOurs when no stack runs here, or when it uses servers that somebody else runs.
        """
        state = layout.running_state()
        if state is None:
            raise NotOurs(f"no stack runs in {layout.root}; start one with `make up`")
        foreign = [name for name in ("postgres", "valkey") if state[name]["pid"] is None]
        if foreign:
            raise NotOurs(f"the stack did not start its {' and '.join(foreign)} itself: somebody else's")
        self._layout = layout
        self._patience_seconds = patience_seconds
        self._dsn: str = state["postgres"]["dsn"]
        self._valkey_port = urlsplit(state["valkey"]["url"]).port or 0
        self._kills = {part: threading.Lock() for part, _ in SIGNALS.values()}

    def strike(self, kind: Kind, gate_answers: Asking) -> Struck:
        """Does it now. `gate_answers` asks the service for something that its gate alone knows.

        Raises Missed.
        """
        if kind is Kind.WIPE_VALKEY:
            wait(self._wiped, "Valkey is down", self._patience_seconds)
            return Struck("valkey", gate_answers)
        part, number = SIGNALS[kind]
        if number in HEARD:
            return Struck(self._send(part, number, GROWN_SECONDS).name, None)
        with self._kills[part]:  # two in a moment are to meet two workers
            victim = self._send(part, number)
            is_back = self._sign_of_life(part, victim, gate_answers)
            wait(lambda: victim.process() is None, f"{victim.name} does not die")
        return Struck(victim.name, is_back)

    def _send(self, part: str, number: signal.Signals, least_age_seconds: float = 0.0) -> Identity:
        """Signals the eldest process of a part: of two workers, never the one that has just come back."""
        sent: list[Identity] = []

        def send() -> bool:
            victim = self._eldest(part, time.time() - least_age_seconds)
            process = victim.process() if victim else None
            if victim is None or process is None:
                return False
            with suppress(psutil.NoSuchProcess):  # it has ended by itself this moment: find another
                process.send_signal(number)
                sent.append(victim)
            return bool(sent)

        wait(send, f"no {part} runs", self._patience_seconds)
        return sent[0]

    def _eldest(self, part: str, born_before: float) -> Identity | None:
        running = [one for one in leftovers(self._layout.read_state() or {}) if one.process()]
        found = [one for one in running if one.name.startswith(part) and one.create_time <= born_before]
        return min(found, key=lambda one: one.create_time, default=None)

    def _sign_of_life(self, part: str, victim: Identity, gate_answers: Asking) -> Asking:
        if part == "valkey":
            return gate_answers
        return self._postgres_answers if part == "postgres" else self._receives_again(victim.name)

    def _receives_again(self, worker: str) -> Asking:
        log = self._layout.logs / f"{worker}.log"
        before = log.read_text().count(READY)
        return lambda: log.read_text().count(READY) > before

    def _postgres_answers(self) -> bool:
        try:
            psycopg.connect(self._dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _wiped(self) -> bool:
        return valkey.ask(self._valkey_port, "FLUSHALL").startswith(b"+OK")


def wait(condition: Asking, otherwise: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Asks until the condition holds. Raises Missed with `otherwise` after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Missed(f"{otherwise}, for {seconds:g} s")
        time.sleep(LOOK_SECONDS)
