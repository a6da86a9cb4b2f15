"""Connects to Valkey: one server, or a cluster when the address says so. Each connection is greeted.

The client's own hook calls the greeting (valkey_connect_func), before the first command of a connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import valkey
from valkey.backoff import NoBackoff
from valkey.exceptions import ConnectionError as Disconnected
from valkey.retry import Retry

from chalicelib.gate.greeting import Greeting
from chalicelib.secret import Login, Secret


def connect(url: str, timeout_ms: int, secret: Secret[Login] | None = None) -> Any:
    """Makes a thread-safe client that connects when first used, and greets every connection.

    `url` is valkey://host:port/0, or valkeys:// with TLS; `?cluster=true` takes a cluster client that
    follows the slots (ElastiCache Serverless is always in cluster mode). `timeout_ms` bounds each wait.
    `secret` has the login; without it, what the address says is used.
    """
    seconds = timeout_ms / 1000
    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    pools: Any = valkey.ConnectionPool
    if secret is not None:
        from chalicelib.gate.login import LoginPool, SecretLogin

        pools, options["credential_provider"] = LoginPool, SecretLogin(secret)
    parts = urlsplit(url)
    if parse_qs(parts.query).get("cluster") == ["true"]:
        url = parts._replace(query="").geturl()
        options["connection_pool_class"] = pools
        greeting = Greeting(lambda: LazyCluster(url, options))
        return LazyCluster(url, options | {"valkey_connect_func": greeting})
    # ElastiCache cuts idle connections now and then. Every call of the gate may be repeated.
    options |= {"retry": Retry(NoBackoff(), 1), "retry_on_error": [Disconnected]}
    options["valkey_connect_func"] = _opened(Greeting())
    return ConnectionPerThread(pools.from_url(url, max_connections=1_000, **options))


def _opened(greeting: Greeting) -> Callable[[Any], None]:
    """A hook for connections to one server: it stands in for valkey-py's own, as a cluster's does not."""

    def opened(connection: Any) -> None:
        connection.on_connect()
        greeting(connection)

    return opened


def transaction(client: Any, key: bytes) -> Any:
    """Opens a MULTI/EXEC pipeline, a context manager; all its keys are in the slot of `key`.

    `client` is what `connect` returns. valkey-py has none for a cluster, but each of its nodes has.
    """
    if hasattr(client, "get_node_from_key"):
        client = client.get_valkey_connection(client.get_node_from_key(key))
    return client.pipeline(transaction=True)


class LazyCluster:
    """A client of a cluster that connects when first used, and has valkey.cluster.ValkeyCluster's methods.

    valkey-py's own connects when it is made: a function that starts while Valkey is down could not be built.
    """

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        """`url` names one node; `options` are valkey-py's."""
        self._url = url
        self._options = options
        self._cluster: Any = None

    def __getattr__(self, command: str) -> Any:
        """The cluster's method. Raises the client's errors when no node answers; the next use tries again."""
        if self._cluster is None:  # no lock: threads would wait for a dead server one after the other
            from valkey.cluster import ValkeyCluster

            made: Any = ValkeyCluster  # valkey-py's types stop short of its from_url
            self._cluster = made.from_url(self._url, **self._options)
        return getattr(self._cluster, command)

    def close(self) -> None:
        """Closes the connections, if there are any."""
        if self._cluster is not None:
            self._cluster.close()


class ConnectionPerThread:
    """A Valkey client that keeps one connection for each thread, and has valkey.Valkey's methods.

    Lending connections instead costs a look at the socket for each loan, which gives the interpreter
    lock away twice more in every refusal (docs/decisions/0005).
    """

    def __init__(self, pool: valkey.ConnectionPool) -> None:
        """`pool` makes the connections and closes them."""
        self._pool = pool
        self._threads = threading.local()

    def __getattr__(self, command: str) -> Any:
        """The command, on this thread's connection. Raises the client's errors when it cannot connect."""
        try:
            client = self._threads.client
        except AttributeError:
            client = valkey.Valkey(connection_pool=self._pool, single_connection_client=True)
            self._threads.client = client
        return getattr(client, command)

    def close(self) -> None:
        """Closes every thread's connection; the next command opens one again."""
        self._pool.disconnect()
