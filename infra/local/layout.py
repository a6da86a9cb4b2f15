"""Where a stack keeps its things: one directory, its files, and the ports that it has chosen.

Knows paths and sockets; it starts nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
PORTS = range(16_000, 32_000)
"""Below those that the kernel gives to outgoing connections (from 32768 on Linux, 49152 on macOS): one of
these may be taken after it was chosen, and before its server is there. Valkey's cluster adds 10,000."""


@dataclass(frozen=True)
class Layout:
    """The files below one state directory."""

    root: Path

    @classmethod
    def at(cls, state_dir: str | Path | None) -> Layout:
        """The layout of `state_dir`, or of `.onsale` in the checkout. Creates nothing."""
        return cls(Path(state_dir).resolve() if state_dir else CHECKOUT / ".onsale")

    @property
    def state_file(self) -> Path:
        """What runs, for `status`, `down`, `env` and the next `up`."""
        return self.root / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "lock"

    @property
    def mapping_file(self) -> Path:
        """Whether the queue function is handed batches, for its workers."""
        return self.root / "event-source-mapping.json"

    @property
    def logs(self) -> Path:
        """One file a part."""
        return self.root / "logs"

    @property
    def history(self) -> Path:
        """Histories of what was played against the stack."""
        return self.root / "history"

    def data(self, part: str) -> Path:
        """The data directory of one part; made when missing."""
        path = self.root / part
        path.mkdir(parents=True, exist_ok=True)
        return path

    def read_state(self) -> dict[str, Any] | None:
        """The last state written, or None when there is none to be read."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return None
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replaces the state in one step, so that a reader never sees half of it.

        Only its owner may read it: a database's address that was given may hold a password.
        """
        fresh = self.state_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(state, indent=2) + "\n")
        fresh.replace(self.state_file)

    def is_locked(self) -> bool:
        """Whether a supervisor is alive here. The kernel drops the lock with its process."""
        try:
            with self.lock_file.open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def running_state(self) -> dict[str, Any] | None:
        """The state of the stack that runs here, or None when none does."""
        return self.read_state() if self.is_locked() else None

    def ports(self, *names: str) -> dict[str, int]:
        """A free loopback port for each name: last time's when nobody has taken it since."""
        file = self.root / "ports.json"
        try:
            kept: dict[str, int] = json.loads(file.read_text())
        except (OSError, ValueError):
            kept = {}
        ports = {name: kept[name] if port_is_free(kept.get(name, 0)) else free_port() for name in names}
        file.write_text(json.dumps({**kept, **ports}) + "\n")
        return ports


def free_port() -> int:
    """A loopback port that nobody listens on now, and that the kernel gives to no connection by itself."""
    while True:
        port = secrets.choice(PORTS)
        if port_is_free(port):
            return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port. 0 is no port, so it is not free."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port in TIME_WAIT is free for a server
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return port != 0


def answers(port: int) -> bool:
    """Whether somebody accepts connections on the loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
