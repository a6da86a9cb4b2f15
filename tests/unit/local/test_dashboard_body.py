"""The dashboard and the alarms are what CloudWatch takes, and speak only of metrics that there are."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chalicelib.metrics import METRICS as OURS
from infra.local.cloudwatch.definitions import (
    FOLDER,
    CompositeAlarm,
    MetricAlarm,
    alarm_arn,
    alarms,
    dashboard,
)
from infra.local.cloudwatch.rule import names_in
from infra.local.cloudwatch.statistics import is_statistic
from tests.support.dashboards import COLUMNS, AlarmWidget, Dashboard, drawn

BODY = (FOLDER / "dashboard.json").read_text()
API, FUNCTION, QUEUE, CLUSTER = {"ApiName"}, {"FunctionName"}, {"QueueName"}, {"DBClusterIdentifier"}
THEIRS: dict[str, list[set[str]]] = {
    **{f"AWS/ApiGateway {name}": [API] for name in ("Count", "4XXError", "5XXError", "Latency")},
    **{
        f"AWS/Lambda {name}": [FUNCTION]
        for name in ("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions")
    },
    **{f"AWS/SQS {name}": [QUEUE] for name in ("NumberOfMessagesSent", "NumberOfMessagesDeleted")},
    "AWS/RDS DatabaseConnections": [CLUSTER],
}
METRICS = {
    **{f"Onsale {name}": [set(each) for each in metric.sets] for name, metric in OURS.items()},
    **THEIRS,
}
"""Every metric that there is, by namespace and name, with the sets of dimensions that it comes with."""


def body() -> Dashboard:
    return msgspec.json.decode(BODY, type=Dashboard)


def plain() -> list[MetricAlarm]:
    return [alarm for alarm in alarms("${Stage}") if isinstance(alarm, MetricAlarm)]


def composite() -> list[CompositeAlarm]:
    return [alarm for alarm in alarms("${Stage}") if isinstance(alarm, CompositeAlarm)]


def test_every_metric_that_is_drawn_is_in_the_table_with_its_dimensions() -> None:
    for one in drawn(body()):
        assert {name for name, _ in one.dimensions} in METRICS[f"{one.namespace} {one.name}"], one


def test_every_metric_of_an_alarm_is_in_the_table_with_its_dimensions() -> None:
    for alarm in plain():
        names = {each.name for each in alarm.dimensions}
        assert names in METRICS[f"{alarm.namespace} {alarm.metric_name}"], alarm.alarm_name
        assert is_statistic(alarm.chosen)
        assert bool(alarm.statistic) != bool(alarm.extended_statistic)


def test_widgets_fit_the_grid_and_cover_nobody() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body().widgets:
        assert widget.x + widget.width <= COLUMNS
        cells = {
            (x, y)
            for x in range(widget.x, widget.x + widget.width)
            for y in range(widget.y, widget.y + widget.height)
        }
        assert not cells & taken, widget
        taken |= cells


@pytest.mark.parametrize(
    "change",
    [
        {"stakced": True},
        {"view": "pie"},
        {"period": 7},
        {"region": "us-east-1"},
        {"yAxis": {"left": {"minimum": 0}}},
        {"annotations": {"horizontal": [{"value": 1, "label": "x", "fill": "beside"}]}},
    ],
)
def test_a_widget_that_cloudwatch_would_not_take_is_found(change: dict[str, Any]) -> None:
    """The negative control: a slip of the pen for each."""
    spoilt = json.loads(BODY)
    spoilt["widgets"][0]["properties"].update(change)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(spoilt, Dashboard)


def test_the_alarm_widget_shows_every_alarm_that_there_is() -> None:
    (widget,) = [widget for widget in body().widgets if isinstance(widget, AlarmWidget)]
    shown = json.loads(dashboard("local"))["widgets"][body().widgets.index(widget)]["properties"]["alarms"]
    assert sorted(shown) == sorted(alarm_arn(alarm.alarm_name) for alarm in alarms("local"))


def test_the_composite_alarm_speaks_of_alarms_that_there_are() -> None:
    (trouble,) = composite()
    assert trouble.alarm_name == "onsale-${Stage}-sale-in-trouble"
    assert set(names_in(trouble.alarm_rule)) <= {alarm.alarm_name for alarm in plain()}


def test_every_alarm_says_what_it_means_and_can_be_decided() -> None:
    for alarm in plain():
        assert len(alarm.alarm_description) > 60, alarm.alarm_name
        assert alarm.alarm_name.startswith("onsale-${Stage}-")
        assert 1 <= alarm.datapoints_to_alarm <= alarm.evaluation_periods
        assert alarm.period in ({10, 30, 60} if alarm.namespace == "Onsale" else {60})


def test_locally_nothing_is_left_to_be_filled_in() -> None:
    assert "${" not in dashboard("local")
    assert "${" not in str(alarms("local"))
