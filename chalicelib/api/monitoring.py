"""What operators watch: the dashboard, its metrics and the alarms. All of it is CloudWatch's own."""

from __future__ import annotations

from chalice.app import Response

from chalicelib.api.monitoring_views import (
    AlarmHistory,
    AlarmList,
    DashboardView,
    HistorySearch,
    MetricResults,
    MetricsAsked,
    alarm_view,
    change_view,
    check_span,
    query_of,
    series_view,
)
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.schemas import NoQuery
from chalicelib.services import Services

ASKED_BYTES = 128 * 1024
"""A hundred queries of the longest names."""


@operation("GET /ops/dashboard", answers={200: DashboardView}, codes=("unavailable",))
def get_dashboard(services: Services, _: Call, __: NoQuery) -> Response:
    """Read the dashboard's definition, as it is deployed."""
    name = services.settings.dashboard_name
    return answer(200, DashboardView(name=name, body=services.cloudwatch.get_dashboard(name)))


@operation(
    "POST /ops/metrics",
    body=MetricsAsked,
    answers={200: MetricResults},
    codes=("unavailable",),
    limit_bytes=ASKED_BYTES,
)
def query_metrics(services: Services, _: Call, asked: MetricsAsked) -> Response:
    """Read statistics of metrics over time."""
    check_span(asked)
    start, end = asked.starts_at.timestamp(), asked.ends_at.timestamp()
    found = services.cloudwatch.get_metric_data([query_of(each) for each in asked.queries], start, end)
    return answer(200, MetricResults(results=[series_view(each) for each in found], as_of=services.clock()))


@operation("GET /ops/alarms", answers={200: AlarmList}, codes=("unavailable",))
def list_alarms(services: Services, _: Call, __: NoQuery) -> Response:
    """See how every alarm stands, and why."""
    found = services.cloudwatch.describe_alarms(_prefix(services))
    return answer(200, AlarmList(items=[alarm_view(each) for each in found], as_of=services.clock()))


@operation(
    "GET /ops/alarms/history", query=HistorySearch, answers={200: AlarmHistory}, codes=("unavailable",)
)
def list_alarm_history(services: Services, _: Call, search: HistorySearch) -> Response:
    """See when alarms rose and cleared; the last day, unless it says otherwise."""
    start, end = search.span(services.clock())
    found = services.cloudwatch.alarm_history(_prefix(services), start.timestamp(), end.timestamp())
    return answer(200, AlarmHistory(items=[change_view(each) for each in found]))


OPERATIONS: tuple[Operation, ...] = (get_dashboard, query_metrics, list_alarms, list_alarm_history)


def _prefix(services: Services) -> str:
    """What the names of this stage's alarms begin with: what its dashboard is called, on emulators too."""
    return f"{services.settings.dashboard_name}-"
