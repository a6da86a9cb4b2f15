"""Says the gate's password to Valkey, and the new one when the old one is refused.

Works for one server and for a cluster, whose client makes its own connections: both take a pool class.
Imported only where there is a password.
"""

from __future__ import annotations

from typing import Any

import valkey
from valkey.connection import Connection, SSLConnection
from valkey.exceptions import AuthenticationError

from chalicelib.errors import Unavailable
from chalicelib.secret import Login, Secret


class SecretLogin:
    """Carries the secret through valkey-py's options to the connections."""

    def __init__(self, secret: Secret[Login]) -> None:
        """`secret` has a password, and a user unless it is the server's default one."""
        self.secret = secret


class _Renewing:
    """What both kinds of connection do when they have connected."""

    def __init__(self, *, credential_provider: SecretLogin, **options: Any) -> None:
        super().__init__(**options)
        self._secret = credential_provider.secret

    def on_connect(self) -> None:
        """Logs in, once more with a newer password when there is one. Raises valkey-py's errors."""
        try:
            self._log_in(used := self._secret.value())
        except Unavailable as error:
            raise valkey.ConnectionError(error.detail) from error
        except AuthenticationError:
            self._log_in_again(used)

    def _log_in_again(self, used: Login) -> None:
        try:
            newer = self._secret.newer_than(used)
        except Unavailable as error:
            raise valkey.ConnectionError(error.detail) from error
        if newer is None:
            raise valkey.AuthenticationError("the password is refused, and there is no newer one")
        self._log_in(newer)

    def _log_in(self, login: Login) -> None:
        self.username, self.password = login.username or None, login.password
        super().on_connect()  # type: ignore[misc]


class _Plain(_Renewing, Connection):  # type: ignore[misc]
    """Without TLS: a developer's own machine."""


class _Encrypted(_Renewing, SSLConnection):  # type: ignore[misc]
    """With TLS, which ElastiCache Serverless always has."""


class LoginPool(valkey.ConnectionPool):
    """Makes connections that log in so. Of valkey-py's options, `credential_provider` is a SecretLogin."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        """`connection_class` is what the address asks for."""
        encrypted = issubclass(connection_class, SSLConnection)
        made: Any = super()
        made.__init__(connection_class=_Encrypted if encrypted else _Plain, **options)
