"""A few connections to PostgreSQL, opened when needed and used again. It knows no table and no rule.

Nothing here sends SET or uses prepared statements, pipelines or named cursors, so that RDS Proxy can
share its own connections between transactions.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import psycopg
from psycopg.pq import TransactionStatus

from chalicelib.errors import Conflict, Unavailable
from chalicelib.ledger import login
from chalicelib.secret import Login, Secret

IDLE_SECONDS = 20
"""A connection idle for longer is asked before use: a firewall or a frozen Lambda may have lost it."""


@contextmanager
def answering(*, ambiguous: bool = False) -> Iterator[None]:
    """Translates the driver's errors: lost races into Conflict, "not now" into Unavailable; others are bugs.

    `ambiguous` is for a COMMIT: whether it took effect is not known when the connection breaks.
    """
    try:
        yield
    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
        raise Conflict(str(error)) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:  # a failover: this is no longer the writer
        raise Unavailable("ledger", str(error)) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable("ledger", str(error), ambiguous=ambiguous) from error


class Connections:
    """At most `limit` connections, the one used last first. Safe to share between threads."""

    def __init__(
        self,
        dsn: str,
        limit: int,
        timeout_ms: int,
        monotonic: Callable[[], float] = time.monotonic,
        secret: Secret[Login] | None = None,
    ) -> None:
        """`dsn` is a libpq connection string. `secret` has user and password, and what `dsn` leaves open.

        `timeout_ms` bounds connecting, a dead network and the wait for a free connection. A slow
        statement is the database's to stop (migration 0001).
        """
        self._conninfo = login.bounded(dsn, timeout_ms)
        self._secret = secret
        self._timeout = timeout_ms / 1000
        self._free = BoundedSemaphore(limit)
        self._monotonic = monotonic
        self._idle: list[tuple[psycopg.Connection, float]] = []

    @contextmanager
    def lease(self) -> Iterator[psycopg.Connection]:
        """Lends a connection in autocommit mode. Raises Unavailable when none can be had in time.

        One that comes back broken, inside a transaction or after Unavailable is closed.
        """
        if not self._free.acquire(timeout=self._timeout):
            raise Unavailable("ledger", "every connection is in use")
        try:
            connection = self._reused() or self._opened()
            try:
                yield connection
            except Unavailable:
                connection.close()
                raise
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Closes what is idle."""
        while self._idle:
            self._idle.pop()[0].close()

    def _opened(self) -> psycopg.Connection:
        with answering():
            return login.connect(self._conninfo, self._secret)

    def _reused(self) -> psycopg.Connection | None:
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if _usable(connection, self._monotonic() - since):
                return connection
            connection.close()
        return None

    def _give_back(self, connection: psycopg.Connection) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append((connection, self._monotonic()))
        else:
            connection.close()


def _usable(connection: psycopg.Connection, idle_seconds: float) -> bool:
    """An idle connection has nothing to say: bytes waiting are a goodbye. Costs no round trip when fresh."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        return False
    if idle_seconds <= IDLE_SECONDS:
        return True
    try:
        connection.execute(b"SELECT 1")
    except psycopg.Error:
        return False
    return True
