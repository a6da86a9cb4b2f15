"""The same questions to three CloudWatches: the in-memory twin, the stack's own, and the emulator's."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.cloudwatch import MetricQuery, connect
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings
from infra.local.cloudwatch.server import Asked, Reply
from infra.local.layout import free_port
from tests.fakes.cloudwatch import MemoryCloudWatch
from tests.support.monitoring import DASHBOARD, Monitored, own_cloudwatch
from tests.support.sqs import sqs_server

pytestmark = pytest.mark.slow

DIMENSIONS = {"Stage": "local", "Code": "sold-out"}
STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50", "p99")


@pytest.fixture(scope="module", params=["memory", "own", "emulator"])
def cloudwatch(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryCloudWatch()
    elif request.param == "own":
        with own_cloudwatch() as own:
            yield own
    else:
        with sqs_server() as endpoint:
            theirs = Monitored(endpoint)
            yield theirs
            theirs.client.close()


@pytest.fixture(scope="module")
def own() -> Iterator[Monitored]:
    with own_cloudwatch() as found:
        yield found


@pytest.fixture
def metric() -> str:
    """A name that nobody has used."""
    return f"M{uuid4().hex}"


def minute() -> int:
    """A minute's begin, some minutes ago."""
    return int(time.time()) // 60 * 60 - 300


def query(metric: str, stat: str = "Sum", period: int = 60, **dimensions: str) -> MetricQuery:
    return MetricQuery(
        id=stat,
        namespace="Onsale",
        metric=metric,
        dimensions=dimensions or DIMENSIONS,
        stat=stat,
        period_seconds=period,
    )


def test_every_statistic_of_every_period_with_data(cloudwatch: Any, metric: str) -> None:
    at = minute()
    cloudwatch.put("Onsale", metric, DIMENSIONS, at, *range(1, 101))
    cloudwatch.put("Onsale", metric, DIMENSIONS, at + 59, 101)
    cloudwatch.put("Onsale", metric, DIMENSIONS, at + 120, 7)
    found = cloudwatch.get_metric_data([query(metric, stat) for stat in STATISTICS], at, at + 180)
    assert [series.id for series in found] == list(STATISTICS)
    assert {tuple(series.times) for series in found} == {(at, at + 120)}
    first = {series.id: series.values[0] for series in found}
    exact = {"Sum": 5151, "Average": 51, "Minimum": 1, "Maximum": 101, "SampleCount": 101}
    assert first == pytest.approx({**exact, "p50": 51, "p99": 100})
    assert [series.values[1] for series in found] == [7, 7, 7, 7, 1, 7, 7]


def test_the_end_is_not_included(cloudwatch: Any, metric: str) -> None:
    at = minute()
    for second in (at, at + 60):
        cloudwatch.put("Onsale", metric, DIMENSIONS, second, 1)
    (series,) = cloudwatch.get_metric_data([query(metric)], at, at + 60)
    assert (series.times, series.values) == ([at], [1])


def test_seconds_are_told_apart(cloudwatch: Any, metric: str) -> None:
    at = minute()
    for second in (at, at + 1, at + 3):
        cloudwatch.put("Onsale", metric, DIMENSIONS, second, 1, 2)
    (series,) = cloudwatch.get_metric_data([query(metric, period=1)], at, at + 10)
    assert (series.times, series.values) == ([at, at + 1, at + 3], [3, 3, 3])


def test_other_dimensions_are_another_metric(cloudwatch: Any, metric: str) -> None:
    at = minute()
    cloudwatch.put("Onsale", metric, DIMENSIONS, at, 1)
    asked = [query(metric, Stage="local"), query(metric, "Average", Stage="local", Code="other")]
    found = cloudwatch.get_metric_data(asked, at, at + 60)
    assert [(series.id, series.times, series.values) for series in found] == [
        ("Sum", [], []),
        ("Average", [], []),
    ]


def test_a_dashboard_that_is_not_there_is_not_now(cloudwatch: Any) -> None:
    with pytest.raises(Unavailable):
        cloudwatch.get_dashboard("nowhere")


def test_the_own_one_has_the_dashboard_and_the_alarms_of_its_stage(own: Monitored) -> None:
    assert own.get_dashboard(DASHBOARD)["widgets"]
    alarms = own.describe_alarms("onsale-local-")
    assert alarms[0].name == "onsale-local-sale-in-trouble"
    assert alarms[0].composite
    assert {alarm.name for alarm in alarms} >= {"onsale-local-dead-letters", "onsale-local-breaker-open"}
    assert own.describe_alarms("onsale-prod-") == []


def test_an_alarm_rises_on_its_metric_and_its_history_says_when(own: Monitored) -> None:
    began = time.time()
    own.put("Onsale", "DeadLetters", {"Stage": "local"}, int(began) - 3, 2)
    own.look()
    rung = {alarm.name for alarm in own.describe_alarms("onsale-") if alarm.state == "ALARM"}
    assert rung == {"onsale-local-dead-letters", "onsale-local-sale-in-trouble"}
    changes = own.alarm_history("onsale-local-", began - 1, time.time() + 1)
    risen = [change.name for change in changes if change.after == "ALARM"]
    assert risen == ["onsale-local-dead-letters", "onsale-local-sale-in-trouble"]
    assert own.alarm_history("onsale-local-", began - 10, began - 5) == []


def test_metrics_are_listed_by_namespace_name_and_dimension(own: Monitored, metric: str) -> None:
    own.put("Onsale", metric, {"Code": metric, "Stage": "local"}, minute(), 1)
    dimensions = [{"Name": "Code", "Value": metric}, {"Name": "Stage", "Value": "local"}]
    for wish in ({"MetricName": metric}, {"Dimensions": dimensions[:1]}):
        assert own.client.call("ListMetrics", wish)["Metrics"] == [
            {"Namespace": "Onsale", "MetricName": metric, "Dimensions": dimensions}
        ]
    assert own.client.call("ListMetrics", {"Namespace": "Other"})["Metrics"] == []


@pytest.mark.parametrize(
    ("action", "asked", "code"),
    [
        ("GetMetricData", {}, "InvalidParameterValueException"),
        (
            "GetMetricData",
            {"MetricDataQueries": [{"Id": "a", "Expression": "b * 2"}], "StartTime": 1, "EndTime": 2},
            "InvalidParameterValueException",
        ),
        ("PutMetricData", {"Namespace": "x", "MetricData": [{"MetricName": "y"}]}, "InvalidParameterValue"),
        ("GetDashboard", {"DashboardName": "x"}, "ResourceNotFound"),
        ("DeleteAlarms", {}, "UnknownOperationException"),
    ],
)
def test_a_bad_question_has_awss_kind_of_answer(
    own: Monitored, action: str, asked: dict[str, object], code: str
) -> None:
    with pytest.raises(AwsRefused) as refused:
        own.client.call(action, asked)
    assert refused.value.code.startswith(code)


def test_a_handler_answers_below_its_path_and_the_metrics_beside_it() -> None:
    def handler(asked: Asked) -> Reply:
        return Reply(202, [asked.method, asked.path, asked.body.decode()])

    with own_cloudwatch({"/2015-03-31/event-source-mappings": handler}) as found:
        connection = http.client.HTTPConnection(found.endpoint.rpartition("/")[2])
        connection.request("PUT", "/2015-03-31/event-source-mappings/x?y=1", "{}")
        answer = connection.getresponse()
        said = (answer.status, answer.read())
        connection.close()
        assert said == (202, b'["PUT","/2015-03-31/event-source-mappings/x?y=1","{}"]')
        assert found.describe_alarms("onsale-")


def test_nobody_there_is_not_now() -> None:
    key = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    away = connect(Settings(aws_endpoint_url_cloudwatch=f"http://127.0.0.1:{free_port()}", **key))  # type: ignore[arg-type]
    with pytest.raises(Unavailable) as caught:
        away.describe_alarms("")
    assert caught.value.part == "cloudwatch"


def test_a_developers_machine_without_a_stack_never_asks_aws() -> None:
    with pytest.raises(Unavailable, match="AWS_ENDPOINT_URL_CLOUDWATCH"):
        connect(Settings())
