"""The machine and the versions that figures belong to: a rate without them means nothing."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
import valkey

from infra.bench.own_stack import OwnStack

OURS = ("chalice", "msgspec", "valkey", "psycopg", "granian")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """`cores` are those that this process may use; `stack` counts the processes of the measured stack."""

    cores: int
    cpu: str
    system: str
    python: str
    versions: dict[str, str]
    stack: dict[str, int]


def machine(stack: OwnStack) -> Machine:
    """Describes this machine, and asks the stack's own servers for their versions."""
    versions = {name: metadata.version(name) for name in OURS}
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        cpu=_cpu(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={**versions, **_servers(stack)},
        stack={"workers": len(stack.state["worker"]["pids"])},
    )


def sentence(of: Machine) -> str:
    """One line for a reader."""
    versions = ", ".join(f"{name} {version}" for name, version in of.versions.items())
    workers = of.stack["workers"]
    return (
        f"{of.cores} cores, {of.cpu}; {of.system}; Python {of.python}; {versions}; "
        f"{workers} fulfilment worker{'s' * (workers != 1)}"
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _servers(stack: OwnStack) -> dict[str, str]:
    with psycopg.connect(stack.dsn, connect_timeout=5) as connection:
        number = connection.info.server_version
    address = urlsplit(stack.state["valkey"]["url"])
    client: Any = valkey.Valkey(host=address.hostname or "", port=address.port or 0)
    with client:
        info = client.info("server")
    return {
        "PostgreSQL": f"{number // 10_000}.{number % 10_000}",
        "Valkey": str(info.get("valkey_version", info.get("redis_version", "unknown"))),
        "ministack": _emulator_version(),
    }


def _emulator_version() -> str:
    folders = [str(path) for path in Path(sys.prefix, "emulator").glob("lib/python*/site-packages")]
    found = metadata.distributions(name="ministack", path=folders)
    return next((distribution.version for distribution in found), "unknown")
