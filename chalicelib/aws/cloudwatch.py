"""Reads metrics, alarms and the dashboard from CloudWatch, without boto3. It knows no metric by name.

Everything that goes wrong is "not now", a missing right or a dashboard that was not deployed included: no
order depends on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.client import AwsClient
from chalicelib.aws.credentials import credential_source
from chalicelib.aws.sigv4 import CLOUDWATCH
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings

PART = "cloudwatch"
TIMEOUT_MS = 5_000
"""Of one call, its retries included; GetMetricData over a hundred metrics takes some 100 ms."""
PAGES_AT_MOST = 20
"""Of one answer; what is beyond is left out."""
_BOTH_TYPES = ["MetricAlarm", "CompositeAlarm"]


class MetricQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One statistic of one metric. `id` is the asker's own, any text."""

    id: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    stat: str
    period_seconds: int


class MetricSeries(msgspec.Struct, frozen=True):
    """Its points, ascending: when a period begins (seconds since the Unix epoch), and the value."""

    id: str
    times: list[int]
    values: list[float]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm and how it stands since `since` (seconds since the Unix epoch)."""

    name: str
    description: str
    state: str
    reason: str
    since: float
    composite: bool
    threshold: float | None
    metric: str | None


class AlarmChange(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm went from one state to another at `at` (seconds since the Unix epoch)."""

    name: str
    at: float
    before: str
    after: str
    reason: str


class CloudWatch:
    """One region's CloudWatch. Thread-safe, as every AwsClient."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def get_metric_data(self, queries: Sequence[MetricQuery], start: float, end: float) -> list[MetricSeries]:
        """Reads each query's periods with data that begin in [start, end), in the order of the queries.

        Raises Unavailable("cloudwatch").
        """
        named = {f"q{number}": query for number, query in enumerate(queries)}
        asked = {
            "MetricDataQueries": [_asked(name, query) for name, query in named.items()],
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
        }
        series = {name: MetricSeries(query.id, [], []) for name, query in named.items()}
        for page in self._pages("GetMetricData", asked):
            for result in page.get("MetricDataResults", ()):
                found = series[result["Id"]]
                found.times.extend(int(at) for at in result["Timestamps"])
                found.values.extend(float(value) for value in result["Values"])
        return list(series.values())

    def describe_alarms(self, prefix: str) -> list[Alarm]:
        """Reads the alarms whose names begin with `prefix`, composite ones first. Raises Unavailable."""
        found: list[Alarm] = []
        asked = {"AlarmNamePrefix": prefix, "AlarmTypes": _BOTH_TYPES}
        for page in self._pages("DescribeAlarms", asked):
            found.extend(_alarm(each, composite=True) for each in page.get("CompositeAlarms", ()))
            found.extend(_alarm(each, composite=False) for each in page.get("MetricAlarms", ()))
        return sorted(found, key=lambda alarm: not alarm.composite)

    def alarm_history(self, prefix: str, start: float, end: float) -> list[AlarmChange]:
        """Reads when alarms whose names begin with `prefix` changed in [start, end), ascending. As above."""
        asked = {
            "AlarmTypes": _BOTH_TYPES,
            "HistoryItemType": "StateUpdate",
            "StartDate": start,
            "EndDate": end,
            "ScanBy": "TimestampAscending",
        }
        pages = self._pages("DescribeAlarmHistory", asked)
        items = [item for page in pages for item in page.get("AlarmHistoryItems", ())]
        return [_change(item) for item in items if str(item["AlarmName"]).startswith(prefix)]

    def get_dashboard(self, name: str) -> dict[str, Any]:
        """Reads a dashboard's body. Raises Unavailable, also when there is none of this name."""
        found = self._call("GetDashboard", {"DashboardName": name})
        body: dict[str, Any] = json.loads(found["DashboardBody"])
        return body

    def _pages(self, action: str, asked: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        token: Mapping[str, object] = {}
        for _ in range(PAGES_AT_MOST):
            page = self._call(action, {**asked, **token})
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _call(self, action: str, asked: Mapping[str, object]) -> dict[str, Any]:
        try:
            return self._client.call(action, asked)
        except AwsRefused as error:
            raise Unavailable(PART, f"{action}: {error}") from error


def connect(settings: Settings) -> CloudWatch:
    """Makes the client. Connects on the first call.

    Raises Unavailable in the stage `local` without an address: a developer's machine never asks AWS.
    """
    address = settings.aws_endpoint_url_cloudwatch
    if not address and settings.stage == "local":
        raise Unavailable(PART, "AWS_ENDPOINT_URL_CLOUDWATCH is not set")
    return CloudWatch(
        AwsClient(
            address or f"https://monitoring.{settings.aws_region}.amazonaws.com",
            settings.aws_region,
            credential_source(settings),
            TIMEOUT_MS,
            service=CLOUDWATCH,
            part=PART,
        )
    )


def _asked(name: str, query: MetricQuery) -> dict[str, object]:
    dimensions = [{"Name": each, "Value": value} for each, value in query.dimensions.items()]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Period": query.period_seconds, "Stat": query.stat},
    }


def _alarm(found: Mapping[str, Any], *, composite: bool) -> Alarm:
    return Alarm(
        name=found["AlarmName"],
        description=found.get("AlarmDescription", ""),
        state=found["StateValue"],
        reason=found.get("StateReason", ""),
        since=float(found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]),
        composite=composite,
        threshold=None if composite else found.get("Threshold"),
        metric=None if composite else found.get("MetricName"),
    )


def _change(item: Mapping[str, Any]) -> AlarmChange:
    states = json.loads(item["HistoryData"])
    return AlarmChange(
        name=item["AlarmName"],
        at=float(item["Timestamp"]),
        before=states["oldState"]["stateValue"],
        after=states["newState"]["stateValue"],
        reason=states["newState"].get("stateReason", ""),
    )
