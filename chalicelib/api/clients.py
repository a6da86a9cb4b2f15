"""Which network a request comes from, as far as limits go. Pure; it knows no limit and no store.

API Gateway says who has called it (`requestContext.identity.sourceIp`). X-Forwarded-For is what the caller
wrote, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any


def client_of(context: Mapping[str, Any]) -> str:
    """Names the network of a request by its `requestContext`; "" when that has no address.

    An IPv4 address is its own; an IPv6 address counts by its /64, which is what one subscriber gets.
    """
    address = context.get("identity", {}).get("sourceIp")
    return network_of(address) if address else ""


@lru_cache(1_000)
def network_of(address: str) -> str:
    """The IPv4 address, the first half of an IPv6 address, or the text itself when it is neither."""
    if ":" not in address:
        return address
    try:
        full = IPv6Address(address)
    except ValueError:
        return address
    if full.ipv4_mapped is not None:
        return str(full.ipv4_mapped)
    return f"{int(full) >> 64:x}::/64"
