"""CloudWatch's actions: what is asked comes in as JSON, what is answered goes out. Knows no HTTP.

Names and forms are those of the CloudWatch API reference (2010-08-01); times are seconds since the epoch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from infra.local.cloudwatch.asked import (
    Datum,
    DescribeAlarmHistory,
    DescribeAlarms,
    GetDashboard,
    GetMetricData,
    ListMetrics,
    MetricName,
    PutMetricData,
    Query,
)
from infra.local.cloudwatch.definitions import CompositeAlarm, MetricAlarm, alarm_arn
from infra.local.cloudwatch.metric import Metric, Points, Target, metric
from infra.local.cloudwatch.statistics import is_statistic
from infra.local.cloudwatch.store import Point, Store
from infra.local.cloudwatch.watch import Change, Standing, Watch

PREFIX = "GraniteServiceVersion20100801"
QUERIES_AT_MOST = 500
POINTS_AT_MOST = 100_800
"""CloudWatch's own limits of one GetMetricData; it parts more into pages, we refuse it."""


class Refused(Exception):
    """The call cannot be done; `code` is AWS's name for it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Actions:
    """The actions that there are, by name."""

    def __init__(
        self, store: Store, watch: Watch, dashboards: Mapping[str, str], now: Callable[[], float] = time.time
    ) -> None:
        """`dashboards` maps a name to its body."""
        self._store = store
        self._watch = watch
        self._dashboards = dashboards
        self._now = now
        self._table: dict[str, tuple[type[Any], Callable[[Any], dict[str, object]]]] = {
            "GetMetricData": (GetMetricData, self._get_metric_data),
            "PutMetricData": (PutMetricData, self._put_metric_data),
            "ListMetrics": (ListMetrics, self._list_metrics),
            "DescribeAlarms": (DescribeAlarms, self._describe_alarms),
            "DescribeAlarmHistory": (DescribeAlarmHistory, self._describe_alarm_history),
            "GetDashboard": (GetDashboard, self._get_dashboard),
        }

    def call(self, action: str, body: bytes) -> dict[str, object]:
        """Does one action. Raises Refused."""
        if action not in self._table:
            raise Refused("UnknownOperationException", f"{action} is not served here")
        kind, do = self._table[action]
        try:
            return do(msgspec.json.decode(body or b"{}", type=kind))
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Refused("InvalidParameterValueException", str(error)) from error

    def _get_metric_data(self, asked: GetMetricData) -> dict[str, object]:
        if len(asked.metric_data_queries) > QUERIES_AT_MOST:
            raise Refused("InvalidParameterValueException", f"more than {QUERIES_AT_MOST} queries")
        if asked.start_time >= asked.end_time:
            raise Refused("InvalidParameterValueException", "StartTime must be before EndTime")
        results, total = [], 0
        for query in asked.metric_data_queries:
            points = self._points(query, asked)
            total += len(points)
            if total > POINTS_AT_MOST:
                raise Refused("InvalidParameterValueException", f"more than {POINTS_AT_MOST} points")
            if query.return_data:
                results.append(_result(query.id, query.label, points))
        return {"MetricDataResults": results, "Messages": []}

    def _points(self, query: Query, asked: GetMetricData) -> list[Point]:
        stat = query.metric_stat
        if stat is None:
            raise Refused("InvalidParameterValueException", f"{query.id}: only MetricStat is served here")
        if not is_statistic(stat.stat):
            raise Refused("InvalidParameterValueException", f"{query.id}: unknown statistic {stat.stat}")
        if stat.period not in {1, 5, 10, 20, 30} and (stat.period <= 0 or stat.period % 60):
            raise Refused("InvalidParameterValueException", f"{query.id}: unknown period {stat.period}")
        start, end = int(asked.start_time), -int(-asked.end_time // 1)
        found = self._store.read(_metric(stat.metric), start, end, stat.period, stat.stat)
        return found if asked.scan_by == "TimestampAscending" else found[::-1]

    def _put_metric_data(self, asked: PutMetricData) -> dict[str, object]:
        points: Points = {}
        for datum in asked.metric_data:
            named = MetricName(
                namespace=asked.namespace, metric_name=datum.metric_name, dimensions=datum.dimensions
            )
            at = int(self._now() if datum.timestamp is None else datum.timestamp)
            points[Target([_metric(named)]), at] = _values(datum)
        self._store.add(points)
        return {}

    def _list_metrics(self, asked: ListMetrics) -> dict[str, object]:
        found = [each for each in self._store.metrics() if _fits(each, asked)]
        return {"Metrics": [_shown(each) for each in found]}

    def _describe_alarms(self, asked: DescribeAlarms) -> dict[str, object]:
        standings = [
            each
            for each in self._watch.standings()
            if (not asked.alarm_names or each.alarm.alarm_name in asked.alarm_names)
            and each.alarm.alarm_name.startswith(asked.alarm_name_prefix)
            and asked.state_value in {"", each.state}
            and _type_of(each.alarm) in asked.alarm_types
        ]
        plain = [_alarm(each) for each in standings if isinstance(each.alarm, MetricAlarm)]
        composite = [_alarm(each) for each in standings if isinstance(each.alarm, CompositeAlarm)]
        return {"MetricAlarms": plain, "CompositeAlarms": composite}

    def _describe_alarm_history(self, asked: DescribeAlarmHistory) -> dict[str, object]:
        changes = [
            each
            for each in self._watch.changes()
            if asked.alarm_name in {"", each.alarm.alarm_name}
            and asked.start_date <= each.at < asked.end_date
            and _type_of(each.alarm) in asked.alarm_types
        ]
        ordered = changes if asked.scan_by == "TimestampAscending" else changes[::-1]
        return {"AlarmHistoryItems": [_history(each) for each in ordered]}

    def _get_dashboard(self, asked: GetDashboard) -> dict[str, object]:
        name = asked.dashboard_name
        if name not in self._dashboards:
            raise Refused("ResourceNotFound", f"Dashboard {name} does not exist")
        return {
            "DashboardName": name,
            "DashboardArn": f"{alarm_arn('').rpartition(':alarm:')[0]}:dashboard/{name}",
            "DashboardBody": self._dashboards[name],
        }


def _metric(asked: MetricName) -> Metric:
    return metric(asked.namespace, asked.metric_name, {each.name: each.value for each in asked.dimensions})


def _values(datum: Datum) -> dict[float, float]:
    if datum.value is not None:
        return {datum.value: 1.0}
    counts = datum.counts or [1.0] * len(datum.values)
    if not datum.values or len(counts) != len(datum.values):
        raise Refused(
            "InvalidParameterValueException", f"{datum.metric_name} needs a value, or values and counts"
        )
    return dict(zip(datum.values, counts, strict=True))


def _result(name: str, label: str, points: list[Point]) -> dict[str, object]:
    return {
        "Id": name,
        "Label": label or name,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _fits(found: Metric, asked: ListMetrics) -> bool:
    dimensions = dict(found.dimensions)
    return (
        asked.namespace in {"", found.namespace}
        and asked.metric_name in {"", found.name}
        and all(
            each.name in dimensions and each.value in {"", dimensions[each.name]} for each in asked.dimensions
        )
    )


def _shown(found: Metric) -> dict[str, object]:
    dimensions = [{"Name": name, "Value": value} for name, value in found.dimensions]
    return {"Namespace": found.namespace, "MetricName": found.name, "Dimensions": dimensions}


def _type_of(alarm: MetricAlarm | CompositeAlarm) -> str:
    return type(alarm).__name__


def _alarm(standing: Standing) -> dict[str, object]:
    """An alarm's own properties and how it stands."""
    given = msgspec.to_builtins(standing.alarm)
    return {
        **{name: value for name, value in given.items() if value != ""},
        "AlarmArn": alarm_arn(standing.alarm.alarm_name),
        "ActionsEnabled": True,
        "StateValue": standing.state,
        "StateReason": standing.reason,
        "StateUpdatedTimestamp": standing.since,
        "StateTransitionedTimestamp": standing.since,
    }


def _history(change: Change) -> dict[str, object]:
    states = {
        "version": "1.0",
        "oldState": {"stateValue": change.before},
        "newState": {"stateValue": change.after, "stateReason": change.reason},
    }
    return {
        "AlarmName": change.alarm.alarm_name,
        "AlarmType": _type_of(change.alarm),
        "Timestamp": change.at,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {change.before} to {change.after}",
        "HistoryData": json.dumps(states),
    }
