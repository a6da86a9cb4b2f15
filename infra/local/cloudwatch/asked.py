"""What the actions of CloudWatch take, as its API reference (2010-08-01) has it; times are seconds."""

from __future__ import annotations

from typing import Literal

import msgspec


class Input(msgspec.Struct, rename="pascal", kw_only=True):
    """What a client may send. What we do not know we pass over, as AWS's newer clients know more."""


class Dimension(Input):
    """One dimension of a metric."""

    name: str
    value: str = ""


class MetricName(Input):
    """Which metric."""

    namespace: str
    metric_name: str
    dimensions: list[Dimension] = []


class Stat(Input):
    """A statistic of a metric."""

    metric: MetricName
    period: int
    stat: str


class Query(Input):
    """One question of GetMetricData."""

    id: str
    metric_stat: Stat | None = None
    label: str = ""
    return_data: bool = True


class GetMetricData(Input):
    """Asks for statistics."""

    metric_data_queries: list[Query]
    start_time: float
    end_time: float
    scan_by: Literal["TimestampDescending", "TimestampAscending"] = "TimestampDescending"


class Datum(Input):
    """One metric's values."""

    metric_name: str
    dimensions: list[Dimension] = []
    timestamp: float | None = None
    value: float | None = None
    values: list[float] = []
    counts: list[float] = []


class PutMetricData(Input):
    """Brings values."""

    namespace: str
    metric_data: list[Datum] = []


class ListMetrics(Input):
    """Asks which metrics there are."""

    namespace: str = ""
    metric_name: str = ""
    dimensions: list[Dimension] = []


class DescribeAlarms(Input):
    """Asks how alarms stand."""

    alarm_names: list[str] = []
    alarm_name_prefix: str = ""
    alarm_types: tuple[str, ...] = ("MetricAlarm",)
    state_value: str = ""


class DescribeAlarmHistory(Input):
    """Asks when alarms changed."""

    alarm_name: str = ""
    alarm_types: tuple[str, ...] = ("MetricAlarm",)
    start_date: float = 0.0
    end_date: float = float("inf")
    scan_by: Literal["TimestampDescending", "TimestampAscending"] = "TimestampDescending"


class GetDashboard(Input):
    """Asks for a dashboard."""

    dashboard_name: str
