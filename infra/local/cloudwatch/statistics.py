"""What CloudWatch computes of many samples: sums, averages, extremes and percentiles. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLAIN = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,10})?|100)\Z")


class Distribution:
    """Samples of one metric in one period.

    Number, sum and extremes are exact. For percentiles a value keeps its first three digits, so that a second
    cannot hold more than some thousand of them: a percentile is off by 0.5 % at most. CloudWatch's own are
    estimates as well.
    """

    __slots__ = ("_values", "count", "high", "low", "total")

    def __init__(self) -> None:
        self.count = self.total = 0.0
        self.low, self.high = float("inf"), float("-inf")
        self._values: dict[float, float] | None = None
        """None: all samples have the same value, `low`."""

    def add(self, values: Mapping[float, float]) -> None:
        """Adds samples: each value with how often it was seen."""
        before = self.values()
        for value, count in values.items():
            self.count += count
            self.total += value * count
            self.low, self.high = min(self.low, value), max(self.high, value)
        self._keep(before, values)

    def merge(self, other: Distribution) -> None:
        """Adds the samples of another one."""
        if not other.count:
            return
        mine, theirs = self.values(), other.values()
        self.count += other.count
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self._keep(mine, theirs)

    def values(self) -> Mapping[float, float]:
        """Each value (three digits, unless it is the only one) and how often it was seen."""
        if self._values is not None:
            return self._values
        return {self.low: self.count} if self.count else {}

    def statistic(self, name: str) -> float | None:
        """One statistic. None when there is no sample, and no percentile where a value is below 0.

        Raises ValueError for a name that CloudWatch does not know.
        """
        if not is_statistic(name):
            raise ValueError(f"no such statistic: {name}")
        if not self.count:
            return None
        if name in PLAIN:
            return self._plain(name)
        return None if self.low < 0 else self._percentile(float(name[1:]))

    def _keep(self, before: Mapping[float, float], values: Mapping[float, float]) -> None:
        if self._values is None and self.low != self.high:
            self._values = {}
            _count(self._values, before)
        if self._values is not None:
            _count(self._values, values)

    def _plain(self, name: str) -> float:
        figures = {
            "SampleCount": self.count,
            "Sum": self.total,
            "Average": self.total / self.count,
            "Minimum": self.low,
            "Maximum": self.high,
        }
        return figures[name]

    def _percentile(self, percent: float) -> float:
        """Between the two nearest ranks, as if every value stood there as often as it was seen."""
        ordered = sorted(self.values().items())
        rank = percent / 100 * (self.count - 1) if self.count > 1 else 0.0
        below = _at(ordered, int(rank))
        share = rank - int(rank)
        found = below + share * (_at(ordered, int(rank) + 1) - below) if share else below
        return min(max(found, self.low), self.high)


def is_statistic(name: str) -> bool:
    """Whether CloudWatch computes it, and so do we."""
    return name in PLAIN or _PERCENTILE.match(name) is not None


def three_digits(value: float) -> float:
    """The value with its first three digits."""
    return float(f"{value:.3g}")


def _count(counted: dict[float, float], values: Mapping[float, float]) -> None:
    for value, count in values.items():
        rounded = three_digits(value)
        counted[rounded] = counted.get(rounded, 0.0) + count


def _at(ordered: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if rank < seen:
            return value
    return ordered[-1][0]
