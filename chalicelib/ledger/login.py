"""Says the ledger's password to PostgreSQL, and the new one when the old one is refused.

It opens connections and keeps none.
"""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.secret import Login, Secret


def bounded(dsn: str, timeout_ms: int) -> str:
    """Returns the connection string with bounds for connecting and for a dead network.

    A slow statement is the database's to stop (migration 0001). Raises psycopg.ProgrammingError when `dsn`
    cannot be read.
    """
    seconds = max(2, timeout_ms // 1000)
    return make_conninfo(
        dsn,
        connect_timeout=seconds,
        tcp_user_timeout=timeout_ms,
        keepalives_idle=seconds,
        keepalives_interval=1,
        keepalives_count=seconds,
    )


def connect(conninfo: str, secret: Secret[Login] | None) -> psycopg.Connection:
    """Opens a connection in autocommit mode, without prepared statements.

    `secret` has user and password, and what `conninfo` leaves open. Raises psycopg.OperationalError, and what
    the secret's source raises.
    """
    if secret is None:
        return _connect(conninfo)
    login = secret.value()
    try:
        return _connect(_signed(conninfo, login))
    except psycopg.OperationalError as error:
        newer = secret.newer_than(login) if _asked_for_a_password(error) else None
        if newer is None:
            raise
    return _connect(_signed(conninfo, newer))


def _connect(conninfo: str) -> psycopg.Connection:
    return psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)


def _signed(conninfo: str, login: Login) -> str:
    """The secret names the database's own host; an address that was given (RDS Proxy's) stays."""
    said = {"host": login.host, "port": login.port, "dbname": login.dbname}
    given = conninfo_to_dict(conninfo)
    open_ones = {name: value for name, value in said.items() if value and not given.get(name)}
    who = {"user": login.username} if login.username else {}
    return make_conninfo(conninfo, **open_ones, **who, password=login.password)


def _asked_for_a_password(error: psycopg.OperationalError) -> bool:
    """Whether the server wanted a password before it refused; a dead one does not come so far.

    libpq hides the SQLSTATE (28P01, 28000) of a connection that failed, and its message may be in any
    language. A refusal for another reason costs one needless reading of the secret.
    """
    return error.pgconn is not None and error.pgconn.used_password
