"""The arithmetic of the report: percentiles, shares and rates. Pure; it must not know orders."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class Latency(msgspec.Struct, frozen=True, rename="camel"):
    """A distribution of waits in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` % of `ordered` (ascending, not empty) do not exceed."""
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]


def latency(values_ms: Sequence[float]) -> Latency | None:
    """The distribution of `values_ms`, in any order; None when there are none."""
    if not values_ms:
        return None
    ordered = sorted(values_ms)
    p50, p95, p99 = (round(percentile(ordered, percent), 2) for percent in (50, 95, 99))
    return Latency(len(ordered), p50, p95, p99, round(ordered[-1], 2))


def latency_of_ns(values_ns: Sequence[int]) -> Latency | None:
    """The distribution of waits given in nanoseconds."""
    return latency([value / 1e6 for value in values_ns])


def per_second(count: int, seconds: float) -> float:
    """A rate, rounded to a tenth; 0 when no time passed."""
    return round(count / seconds, 1) if seconds > 0 else 0.0


def share_within(values_ms: Sequence[float], limit_ms: float) -> float | None:
    """The share, 0 to 1, of `values_ms` that are at most `limit_ms`; None when there are none."""
    if not values_ms:
        return None
    return round(sum(value <= limit_ms for value in values_ms) / len(values_ms), 4)
