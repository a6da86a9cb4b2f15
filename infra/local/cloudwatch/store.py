"""What was measured, by metric and second, for three hours. Knows neither where it comes from nor who asks.

CloudWatch keeps seconds for three hours, too; longer periods, which it keeps for months, are not needed here.
Bounded: in metrics, in seconds, and in both together; what is oldest goes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from infra.local.cloudwatch.metric import Metric, Points
from infra.local.cloudwatch.statistics import Distribution

KEPT_SECONDS = 3 * 3_600
FUTURE_SECONDS = 2 * 3_600
"""CloudWatch refuses what is further ahead."""
METRICS_AT_MOST = 5_000
"""A metric is a name with one set of dimensions; the service has some hundred. More are not taken."""
BUCKETS_AT_MOST = 1_000_000
"""Seconds of all metrics together, at some 200 bytes each."""
SWEEP_SECONDS = 10.0

Point = tuple[int, float]
"""When a period begins, in seconds since the Unix epoch, and a statistic of it."""


class Store:
    """Thread-safe: one lock, held for a batch of points or for one reading."""

    def __init__(self, now: Callable[[], float] = time.time, buckets_at_most: int = BUCKETS_AT_MOST) -> None:
        """`now` is seconds since the Unix epoch."""
        self.refused = 0
        """Points of metrics that were one too many."""
        self._now = now
        self._buckets_at_most = buckets_at_most
        self._series: dict[Metric, dict[int, Distribution]] = {}
        self._lock = Lock()
        self._swept = now()

    def add(self, points: Points) -> None:
        """Takes points; those that are older than what is kept, or too far ahead, are dropped."""
        now = self._now()
        oldest, newest = now - KEPT_SECONDS, now + FUTURE_SECONDS
        with self._lock:
            for (target, second), values in points.items():
                if oldest <= second <= newest and values:
                    for metric in target.metrics:
                        self._add(metric, second, values)
            if now - self._swept >= SWEEP_SECONDS:
                self._swept = now
                self._sweep(int(oldest))

    def metrics(self) -> list[Metric]:
        """Every metric that has a value, in order."""
        with self._lock:
            return sorted(self._series)

    def read(self, metric: Metric, start: int, end: int, period: int, statistic: str) -> list[Point]:
        """One point for each period with data that begins in [start, end), ascending.

        `start` is moved back to a multiple of `period`; times and period are in seconds. Raises ValueError
        for an unknown statistic.
        """
        start -= start % period
        found = self.distributions(metric, start, end, period)
        points = [(at, found[at].statistic(statistic)) for at in sorted(found)]
        return [(at, value) for at, value in points if value is not None]

    def distributions(self, metric: Metric, start: int, end: int, period: int) -> dict[int, Distribution]:
        """What was measured in each period that has data, by its begin: periods are counted from `start`."""
        merged: dict[int, Distribution] = {}
        with self._lock:
            for second, bucket in self._between(self._series.get(metric, {}), start, end):
                at = second - (second - start) % period
                merged.setdefault(at, Distribution()).merge(bucket)
        return merged

    def _add(self, metric: Metric, second: int, values: dict[float, float]) -> None:
        series = self._series.get(metric)
        if series is None:
            if len(self._series) >= METRICS_AT_MOST:
                self.refused += 1
                return
            series = self._series[metric] = {}
        bucket = series.get(second)
        if bucket is None:
            bucket = series[second] = Distribution()
        bucket.add(values)

    @staticmethod
    def _between(series: dict[int, Distribution], start: int, end: int) -> Iterable[tuple[int, Distribution]]:
        if end - start < len(series):
            return ((second, series[second]) for second in range(start, end) if second in series)
        return ((second, bucket) for second, bucket in series.items() if start <= second < end)

    def _sweep(self, oldest: int) -> None:
        """Drops what is too old, and more, quarter by quarter, while there is too much."""
        for edge in _edges(oldest, int(self._now())):
            for metric, series in list(self._series.items()):
                for second in [second for second in series if second < edge]:
                    del series[second]
                if not series:
                    del self._series[metric]
            if sum(map(len, self._series.values())) <= self._buckets_at_most:
                return


def _edges(oldest: int, now: int) -> Iterator[int]:
    while oldest < now:
        yield oldest
        oldest += max((now - oldest) // 4, 1)
