"""How the ledger talks to its database: one statement, or one transaction of several. It knows no table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg

from chalicelib.errors import Conflict, Unavailable
from chalicelib.ledger.connections import Connections, answering
from chalicelib.ledger.queries import QUERIES, Queries

TRIES = 5
"""A single order loses a race only to a deadlock, which PostgreSQL ends for one of the two after a second."""

_T = TypeVar("_T")


class Store:
    """What the parts of the ledger share. Safe to share between threads."""

    def __init__(self, connections: Connections, queries: Queries = QUERIES) -> None:
        """`queries` other than the shipped ones serve tests that show an unsafe statement to be noticed."""
        self._connections = connections
        self._queries = queries

    def _rows(self, statement: bytes, arguments: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Sends one statement, which is its own transaction. Raises Conflict or Unavailable."""
        with self._connections.lease() as connection, answering():
            return connection.execute(statement, arguments).fetchall()

    def _count(self, statement: bytes, arguments: Mapping[str, Any]) -> int:
        """Sends one statement that writes; returns the rows written. Raises Conflict or Unavailable."""
        with self._connections.lease() as connection, answering(ambiguous=True):
            return connection.execute(statement, arguments).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection]:
        """Opens a transaction; commits on leaving, rolls back on any error.

        Raises Conflict when another transaction was faster. Unavailable is ambiguous when the connection
        broke during COMMIT.
        """
        with self._connections.lease() as connection:
            try:
                with answering():
                    connection.execute(self._queries.begin)
                    yield connection
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute(self._queries.rollback)
                raise
            with answering(ambiguous=True):
                connection.execute(self._queries.commit)

    def _again_when_lost(self, work: Callable[[psycopg.Connection], _T]) -> _T:
        """Does the work in a transaction, again after each lost race. Raises Unavailable after TRIES."""
        for _ in range(TRIES):
            try:
                with self._transaction() as connection:
                    return work(connection)
            except Conflict:
                continue
        raise Unavailable("ledger", "lost every race for the order")
