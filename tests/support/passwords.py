"""A role of PostgreSQL and a user of Valkey that must say their passwords, and can be given new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import valkey

from tests.support.postgres import Server
from tests.support.waiting import until

ROLE = "seller"


def make_role(server: Server, database: str, password: str) -> None:
    """Lets ROLE into `database` by password alone. The server must be the test's own: its rules change."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        (found,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        rules = Path(found)
        rules.write_text(f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE ROLE {ROLE} LOGIN SUPERUSER PASSWORD '{password}'".encode())
    until(lambda: not lets_in(server, database, "wrong"), "passwords are asked for")


def lets_in(server: Server, database: str, password: str) -> bool:
    """Whether ROLE comes in with this password."""
    try:
        psycopg.connect(server.dsn(database), user=ROLE, password=password).close()
    except psycopg.OperationalError:
        return False
    return True


def change_role(server: Server, password: str, *, cut: bool) -> None:
    """Gives ROLE another password; `cut` ends its sessions, too, as a careful administrator does."""
    server.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
    if cut:
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'")


class ValkeyUsers:
    """The administrator of a Valkey: closes the door to strangers, and changes a user's password."""

    def __init__(self, url: str) -> None:
        """`url` is that of a fresh server; the administrator's own connection stays open."""
        self._client: Any = valkey.Valkey.from_url(url, single_connection_client=True)

    def set_password(self, user: str, password: str) -> None:
        """Makes the user, or takes away every password but this one."""
        self._client.execute_command(
            "ACL", "SETUSER", user, "on", "resetpass", f">{password}", "~*", "&*", "+@all"
        )

    def cut(self, user: str) -> None:
        """Ends the user's connections."""
        self._client.execute_command("CLIENT", "KILL", "USER", user)

    def close(self) -> None:
        """Ends the administrator's own."""
        self._client.close()
