"""The servers behind an emulated account, and in which order they start and stop.

PostgreSQL and Valkey stand for Aurora and ElastiCache, which the emulator has only by name. Knows parts
and addresses; it does not know what is deployed.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict

from infra.emulator import aws
from infra.local import postgres, valkey
from infra.local.children import Part
from infra.local.layout import CHECKOUT, Layout
from infra.local.supervisor import StopSignals, Supervisor
from infra.local.tenancy import end_leftovers, take_lock


class Servers:
    """The running servers of one emulator, in one state directory."""

    def __init__(self, layout: Layout) -> None:
        """Takes the directory. Raises CannotStart when another emulator has it."""
        self.layout = layout
        self._lock = take_lock(layout, stop_with="`python -m infra emulator stop`")
        end_leftovers(layout)
        layout.logs.mkdir(parents=True, exist_ok=True)
        for log in layout.logs.glob("*.log"):
            log.unlink()
        self._ports = layout.ports("aws", "postgres", "valkey")
        self._ready = False
        self._supervisor = Supervisor(layout.logs, StopSignals(), self._write_state)

    @property
    def endpoint_url(self) -> str:
        """Where every AWS service answers."""
        return aws.url(self._ports["aws"])

    def start(self) -> None:
        """Starts everything, returns when it answers. Raises StartFailed, Stopped, FileNotFoundError."""
        stores = [
            postgres.part(self.layout.data("postgres"), self._ports["postgres"]),
            valkey.part(self.layout.data("valkey"), self._ports["valkey"]),
        ]
        parts = [*stores, aws.part(self.layout.data("aws"), self._ports["aws"]), self._front()]
        self._supervisor.start(*parts)
        self._supervisor.wait_until_ready(*(part.name for part in parts))
        self._ready = True
        self._write_state()

    def run(self) -> None:
        """Keeps everything alive until a signal says stop."""
        self._supervisor.watch()

    def stop(self) -> None:
        """First the door, then the functions with their emulator, then what they have written to."""
        for names in (["front"], ["aws"], ["valkey", "postgres"]):
            self._supervisor.stop(names)
        aws.tidy(self.layout.data("aws"))
        self.layout.state_file.unlink(missing_ok=True)
        self._lock.close()

    def _front(self) -> Part:
        command = [sys.executable, "-m", "infra.emulator.front", str(self.layout.root), self.endpoint_url]
        return Part("front", command, {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"})

    def _write_state(self) -> None:
        identities = self._supervisor.identities()
        self.layout.write_state(
            {
                "ready": self._ready,
                "supervisor": {"pid": os.getpid()},
                "http": {"url": self.endpoint_url},
                "ports": self._ports,
                "processes": [asdict(found) for found in identities],
            }
        )
