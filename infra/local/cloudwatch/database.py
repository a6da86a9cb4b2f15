"""AWS/RDS: how many connections the database has. It knows no table of ours."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from infra.local.cloudwatch.metric import Points, Target, metric

if TYPE_CHECKING:
    import psycopg

TIMEOUT_SECONDS = 2
COUNT = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
"""Everybody's but the one that asks."""


class Database:
    """One PostgreSQL, asked over one connection that is kept, and opened again after a loss."""

    def __init__(self, dsn: str, stage: str) -> None:
        """Connects when first asked; the server need not be there yet."""
        self._dsn = dsn
        names = {"DBClusterIdentifier": f"onsale-{stage}"}
        self._target = Target([metric("AWS/RDS", "DatabaseConnections", names)])
        self._connection: psycopg.Connection[Any] | None = None

    def points(self, second: int) -> Points:
        """How many there are, as of this second; nothing when PostgreSQL does not answer."""
        import psycopg  # 200 ms that a stack whose database is away need not wait for

        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._dsn, autocommit=True, connect_timeout=TIMEOUT_SECONDS, application_name="cloudwatch"
                )
            row = self._connection.execute(COUNT).fetchone()
        except psycopg.Error:
            self.close()
            return {}
        return {(self._target, second): {float(row[0]): 1.0}} if row else {}

    def close(self) -> None:
        """Lets go of the connection; the next question opens another one."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None
