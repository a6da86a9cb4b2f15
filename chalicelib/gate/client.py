"""Connects to Valkey: one server, or a cluster when the address says so."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import valkey


def connect(url: str, timeout_ms: int) -> Any:
    """Makes a thread-safe client that connects when first used.

    `url` is valkey://host:port/0, or valkeys:// with TLS; `?cluster=true` takes a cluster client that
    follows the slots (ElastiCache Serverless is always in cluster mode). A cut connection is opened
    again once: every script of the gate may be repeated. `timeout_ms` bounds each wait.
    """
    seconds = timeout_ms / 1000
    options = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    parts = urlsplit(url)
    if parse_qs(parts.query).get("cluster") == ["true"]:
        from valkey.cluster import ValkeyCluster

        cluster: Any = ValkeyCluster  # valkey-py's types stop short of its from_url
        return cluster.from_url(parts._replace(query="").geturl(), **options)
    pools: Any = valkey.ConnectionPool
    pool = pools.from_url(url, max_connections=1_000, **options)
    return valkey.Valkey(connection_pool=pool)
