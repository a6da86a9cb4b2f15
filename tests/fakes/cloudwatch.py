"""The in-memory twin of `CloudWatch`: what is put into it can be asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws.cloudwatch import Alarm, AlarmChange, MetricQuery, MetricSeries
from chalicelib.errors import Unavailable

Key = tuple[str, str, frozenset[tuple[str, str]]]


class MemoryCloudWatch:
    """Keeps every value as it was put; computes when asked."""

    def __init__(self) -> None:
        """Starts without data, with an empty dashboard named "onsale-local"."""
        self.alarms: list[Alarm] = []
        self.changes: list[AlarmChange] = []
        self.dashboards: dict[str, dict[str, Any]] = {"onsale-local": {"widgets": []}}
        self._values: dict[Key, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], at: int, *values: float) -> None:
        """Takes values of one metric, as of the second `at`."""
        self._values[namespace, name, frozenset(dimensions.items())][at].extend(values)

    def get_metric_data(self, queries: Sequence[MetricQuery], start: float, end: float) -> list[MetricSeries]:
        """As the real one."""
        return [self._series(query, int(start), end) for query in queries]

    def describe_alarms(self, prefix: str) -> list[Alarm]:
        """As the real one."""
        found = [alarm for alarm in self.alarms if alarm.name.startswith(prefix)]
        return sorted(found, key=lambda alarm: not alarm.composite)

    def alarm_history(self, prefix: str, start: float, end: float) -> list[AlarmChange]:
        """As the real one."""
        return [one for one in self.changes if one.name.startswith(prefix) and start <= one.at < end]

    def get_dashboard(self, name: str) -> dict[str, Any]:
        """As the real one."""
        if name not in self.dashboards:
            raise Unavailable("cloudwatch", f"no dashboard {name}")
        return self.dashboards[name]

    def _series(self, query: MetricQuery, start: int, end: float) -> MetricSeries:
        start -= start % query.period_seconds
        key = (query.namespace, query.metric, frozenset(query.dimensions.items()))
        periods: dict[int, list[float]] = defaultdict(list)
        for at, values in self._values.get(key, {}).items():
            if start <= at < end:
                periods[at - at % query.period_seconds].extend(values)
        times = sorted(periods)
        return MetricSeries(query.id, times, [_statistic(periods[at], query.stat) for at in times])


def _statistic(values: list[float], stat: str) -> float:
    ordered = sorted(values)
    if stat.startswith("p"):
        rank = float(stat[1:]) / 100 * (len(ordered) - 1)
        above = ordered[min(int(rank) + 1, len(ordered) - 1)]
        return ordered[int(rank)] + (rank - int(rank)) * (above - ordered[int(rank)])
    figures = {
        "Sum": sum(values),
        "Average": sum(values) / len(values),
        "Minimum": ordered[0],
        "Maximum": ordered[-1],
        "SampleCount": float(len(values)),
    }
    return figures[stat]
