"""A real PostgreSQL 18 for tests: started once a session, a fresh migrated database for each test."""

from __future__ import annotations

import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from chalicelib.ledger.migrate import migrate
from infra.local import postgres as embedded
from infra.local.layout import free_port
from tests.support.parts import running as running_part

SETTINGS = {"max_connections": "60", "fsync": "off", "autovacuum_naptime": "1s"}


class Server:
    """A running server. `dsn(name)` is the connection string of one of its databases."""

    def __init__(self, port: int) -> None:
        self.port = port

    def dsn(self, name: str = "postgres") -> str:
        """The connection string of one database."""
        return embedded.dsn(self.port, name)

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
    """Starts a server in a new directory; stops it without ado and removes the directory at the end."""
    with tempfile.TemporaryDirectory(prefix="onsale-postgres-") as folder:
        port = free_port()
        part = embedded.part(Path(folder) / "data", port, settings)
        with running_part(replace(part, stop_signal=signal.SIGQUIT), Path(folder)):
            yield Server(port)


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
