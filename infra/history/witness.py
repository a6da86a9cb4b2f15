"""The ledger's own log as a witness: a logical replication slot from the beginning of a run to its end.

PostgreSQL keeps every commit for the slot, in order, across its own crash, whoever made it. One witness a
database: the next one takes away what the last has left behind. It knows no line and no promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from infra.history.ledger_changes import TABLES

PUBLICATION = "onsale_history"
PORTION = 20_000
"""Messages read at a time; PostgreSQL goes on to the end of the transaction."""

_READ = """
    SELECT data FROM pg_logical_slot_get_binary_changes(
      %s, NULL, %s, 'proto_version', '1', 'publication_names', %s)
"""
_OPTIONS = "-c statement_timeout=60s -c lock_timeout=5s -c timezone=UTC -c datestyle=ISO"


class Witness:
    """A slot in the database at `dsn`. `close` it: what it has not read fills PostgreSQL's disk."""

    def __init__(self, dsn: str) -> None:
        """Begins to witness. Raises psycopg.Error where the ledger cannot do it or does not allow it."""
        self._dsn = dsn
        with self._connection() as ledger:
            self._slot = _slot_name(ledger)
            _drop(ledger, self._slot)
            try:
                # The publication first: the log is read with the catalogue as it was at each commit.
                tables = sql.SQL(", ").join(sql.Identifier(table) for table in TABLES)
                ledger.execute(sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(_PUBLICATION, tables))
                ledger.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [self._slot])
            except psycopg.Error:
                _drop(ledger, self._slot)
                raise

    def messages(self) -> Iterator[bytes]:
        """Everything committed since the beginning or the last call. Raises psycopg.Error."""
        with self._connection() as ledger:
            while True:
                cursor = ledger.cursor(binary=True)
                rows = cursor.execute(_READ, [self._slot, PORTION, PUBLICATION]).fetchall()
                yield from (bytes(row[0]) for row in rows)
                if len(rows) < PORTION:
                    return

    def close(self) -> None:
        """Takes slot and publication away. Raises psycopg.Error."""
        with self._connection() as ledger:
            _drop(ledger, self._slot)

    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._dsn, autocommit=True, connect_timeout=5, options=_OPTIONS)


_PUBLICATION = sql.Identifier(PUBLICATION)


def _slot_name(ledger: psycopg.Connection[Any]) -> str:
    """Slots are the server's and not the database's, so that each database has a name of its own."""
    row = ledger.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    return f"{PUBLICATION}_{row[0] if row else 0}"


def _drop(ledger: psycopg.Connection[Any], slot: str) -> None:
    found = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
    ledger.execute(found, [slot])
    ledger.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(_PUBLICATION))
