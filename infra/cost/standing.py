"""What stands there and is paid by the hour or the month, for the time that a sale needs it. Pure.

It must not know any price, and nothing of what is paid by the request.
"""

from __future__ import annotations

from math import ceil

import msgspec

from infra.capacity.demand import Demand
from infra.cost.sale import Design, OnSale

MONTH_HOURS = 730
STANDARD_METRICS, METRICS_ALL_BY_EVENT = 52, 76
"""Of one event with four codes: by the dimension sets of the service's table, and each by EventId as well."""
SLOT_ECPU = 30_000
"""ECPU a second that a cache without a minimum has at once (`gate-prescale` in infra/capacity)."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is set up around the sale. None of it is measured; each can be replaced."""

    prepare_minutes: float = 60.0
    """Before the sale: a minimum of ECPU is there within an hour of being set."""
    prewarm_minutes: float = 10.0
    """Before the sale, for environments: 6,000 a minute are made."""
    memory_gb: float = 1.0
    aurora_instances: int = 2
    """A writer, and one to take over in the other zone."""
    aurora_acu: float = 2.0
    """The minimum of each, when the sale does not need more."""
    proxy_acu: float = 8.0
    """The least that RDS Proxy bills."""
    gate_gb: float = 1.0
    """Claims, and the rate limits' buckets of a minute."""
    ledger_gb: float = 1.0
    """For one month."""
    ios_an_order: float = 2.0
    """Aurora's reads and writes of storage."""
    endpoints: int = 2
    """SQS and Secrets Manager."""
    nat_gateways: int = 2
    """One in each zone, to the issuer's keys (docs/decisions/0023)."""
    zones: int = 2
    secrets: int = 3
    fast_alarms: int = 6
    alarms: int = 4
    composite_alarms: int = 1
    dashboards: int = 1
    waf_rules: int = 1


class Stood(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of what stands is paid for this sale."""

    hours: float
    whole_hours: int
    months: float
    acu: float
    """Of all instances of Aurora together."""
    environments: int
    """Kept warm; 0 for none."""
    warm_seconds: float
    least_ecpu: float
    """That the cache bills, used or not; 0 without a minimum."""
    metrics: int


def stood(sale: OnSale, built: Design, around: Standing, need: Demand) -> Stood:
    """What `sale` needs there, from its worst second."""
    hours = (around.prepare_minutes + sale.minutes) / 60
    minimum = ceil(need.gate_ecpu / 1_000) * 1_000 if need.gate_ecpu > SLOT_ECPU else 0
    return Stood(
        hours=hours,
        whole_hours=ceil(hours),
        months=ceil(hours) / MONTH_HOURS,
        acu=max(around.aurora_acu, ceil(need.acu * 2) / 2) * around.aurora_instances,
        environments=need.environments if built.prewarmed else 0,
        warm_seconds=ceil((around.prewarm_minutes + sale.minutes) / 5) * 300,
        least_ecpu=minimum * hours * 3_600,
        metrics=METRICS_ALL_BY_EVENT if built.every_metric_by_event else STANDARD_METRICS,
    )
