"""What the gate and the ledger have to have ready for a crowd, and the call of AWS that sets it. Pure.

It must not know when, nor who makes the call. Members are named as AWS's SDK for Java has them, since
EventBridge Scheduler reads them so.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from infra.capacity.demand import Assumptions, Sale, demand
from infra.capacity.limits import catalogue

AHEAD_MINUTES = 60
"""How long the cache may take to be ready for a higher minimum (ElastiCache guide, "Pre-scaling")."""
SMALLEST_ECPU = 1_000
"""The smallest minimum that ElastiCache takes; what it costs is under a cent an hour."""
ECPU_CALL = "elasticache:modifyServerlessCache"
ACU_CALL = "rds:modifyDBCluster"


class Stores(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept ready: ECPU a second of the cache, half capacity units (ACU) of the database."""

    ecpu: int
    half_acu: int


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the stage's settings say of the same two: what it has always, and what it may have."""

    least: Stores
    most: Stores


def needed(attempts_per_second: float, tickets: int, minutes: float) -> Stores:
    """What a crowd asks of both, as `python -m infra capacity` reckons it."""
    sale = Sale(attempts_per_second=attempts_per_second, tickets=tickets, minutes=minutes)
    need = demand(sale, catalogue(), Assumptions(), None, None)
    return Stores(ecpu=ceil(need.gate_ecpu / 1_000) * 1_000, half_acu=max(1, ceil(need.acu * 2)))


def beyond(need: Stores, bounds: Bounds) -> str | None:
    """A sentence when the stage may not have what is needed, else None."""
    short = [
        f"{name} = {value:g}"
        for name, value, over in (
            ("ecpu_maximum", need.ecpu, need.ecpu > bounds.most.ecpu),
            ("maximum_acu", need.half_acu / 2, need.half_acu > bounds.most.half_acu),
        )
        if over
    ]
    if not short:
        return None
    return (
        f"The stores may not grow so far: set {' and '.join(short)} in infra/stacks/stages.toml, and deploy."
    )


def beside(asked: int, need: Stores) -> str:
    """What else the crowd needs that `asked` environments answer."""
    return (
        f"Beside {asked:,} environments such a crowd needs a gate of {need.ecpu:,} ECPU a second, from"
        f" {AHEAD_MINUTES} minutes before, and a ledger of {need.half_acu / 2:g} ACU: --stores raises both."
    )


def cache_call(cache: str, bounds: Bounds, ecpu: int) -> dict[str, Any]:
    """What `ECPU_CALL` is given so that the cache has `ecpu` ready; 0: what the stage has always."""
    least = max(ecpu, bounds.least.ecpu, SMALLEST_ECPU)
    limits = {"Minimum": min(least, bounds.most.ecpu), "Maximum": bounds.most.ecpu}
    return {"ServerlessCacheName": cache, "CacheUsageLimits": {"EcpuPerSecond": limits}}


def cluster_call(cluster: str, bounds: Bounds, half_acu: int) -> dict[str, Any]:
    """What `ACU_CALL` is given so that the database has `half_acu` ready; 0: what the stage has always."""
    least = min(max(half_acu, bounds.least.half_acu), bounds.most.half_acu)
    scaling = {"MinCapacity": least / 2, "MaxCapacity": bounds.most.half_acu / 2}
    return {
        "DbClusterIdentifier": cluster,
        "ServerlessV2ScalingConfiguration": scaling,
        "ApplyImmediately": True,
    }
