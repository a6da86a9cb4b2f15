"""Brings a database to the newest schema: numbered files, in order, each in its own transaction.

Runs before the service. Behind a proxy it keeps one connection of the database for itself until it is
done (its SETs pin it), which does no harm to a run so rare. It knows no table but its own.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg

from chalicelib.ledger import login
from chalicelib.secret import Login, Secret

MIGRATIONS = Path(__file__).with_name("migrations")

TIMEOUT_MS = 5_000
"""Of connecting, and of a network that is dead."""

_LOCK = 0x6F6E73616C65  # "onsale": one runner at a time in one database

_CREATE = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
      name        text PRIMARY KEY,
      sha256      text NOT NULL,
      applied_at  timestamptz NOT NULL DEFAULT now()
    )
"""


class ChangedMigration(RuntimeError):
    """A file was edited, renamed or removed after it had been applied; write a new one instead."""


def migrate(dsn: str, directory: Path = MIGRATIONS, secret: Secret[Login] | None = None) -> list[str]:
    """Applies what the database does not have yet.

    `dsn` is a libpq connection string of a role that may create tables and owns the database; `secret` has
    its user and password, and what `dsn` leaves open. Returns the names of the files applied, in order; empty
    when nothing was to do. Two runners at once take turns. Raises ChangedMigration, or psycopg.Error when a
    file fails, with its name as a note (its changes are rolled back), and what the secret's source raises.
    """
    with login.connect(login.bounded(dsn, TIMEOUT_MS), secret) as connection:
        with connection.transaction():
            _take_turn(connection)
            connection.execute(_CREATE)
        return [path.name for path in sorted(directory.glob("*.sql")) if _apply(connection, path)]


def digest(directory: Path = MIGRATIONS) -> str:
    """One value for all files, by name and content: two that are equal ask for the same schema."""
    files = sorted(directory.glob("*.sql"))
    lines = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _apply(connection: psycopg.Connection, path: Path) -> bool:
    """Applies one file unless it is applied already; false when there was nothing to do."""
    text = path.read_bytes()
    checksum = hashlib.sha256(text).hexdigest()
    with connection.transaction():
        _take_turn(connection)
        applied = connection.execute("SELECT sha256 FROM schema_migrations WHERE name = %s", [path.name])
        row = applied.fetchone()
        if row is not None and row[0] != checksum:
            raise ChangedMigration(f"{path.name} is not the file that was applied")
        if row is not None:
            return False
        try:
            connection.execute(text)
        except psycopg.Error as error:
            error.add_note(path.name)
            raise
        connection.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", [path.name, checksum]
        )
    return True


def _take_turn(connection: psycopg.Connection) -> None:
    """Waits for other runners; the lock goes with the transaction. An index may take its time."""
    connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
