"""What operators watch: metrics, alarms and the dashboard, asked for by HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.cloudwatch import Alarm, AlarmChange
from tests.api.conftest import Api
from tests.fakes.services import Down, MemoryServices

AT = 1_795_341_600  # 2026-11-22T10:00:00Z
STANDS: dict[str, Any] = {"description": "d", "state": "OK", "reason": "r", "since": float(AT)}


def query(**changes: Any) -> dict[str, Any]:
    one = {
        "id": "accepted",
        "namespace": "Onsale",
        "metric": "Accepted",
        "dimensions": {"Stage": "local"},
        "stat": "Sum",
        "periodSeconds": 1,
    }
    return {**one, **changes}


def asked(*queries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    span = {"startsAt": "2026-11-22T10:00:00Z", "endsAt": "2026-11-22T10:05:00Z"}
    return {**span, "queries": list(queries), **changes}


def test_statistics_come_as_parallel_arrays_in_the_order_of_the_queries(
    api: Api, services: MemoryServices
) -> None:
    for second in (0, 1, 5):
        services.cloudwatch.put("Onsale", "Accepted", {"Stage": "local"}, AT + second, 1, 2)
    answer = api("POST", "/ops/metrics", asked(query(id="b", stat="Average", periodSeconds=60), query()))
    assert answer.status == 200
    assert answer.json["results"] == [
        {"id": "b", "times": [AT], "values": [1.5]},
        {"id": "accepted", "times": [AT, AT + 1, AT + 5], "values": [3, 3, 3]},
    ]
    assert answer.json["asOf"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (asked(), "queries"),
        (asked(*[query(id=str(number)) for number in range(101)]), "queries"),
        (asked(query(), query()), "queries"),
        (asked(query(), endsAt="2026-11-22T10:00:00Z"), "endsAt"),
        (asked(query(), endsAt="2026-12-22T10:00:00Z"), "queries"),
        (asked(query(), startsAt="yesterday"), "startsAt"),
        (asked(query(stat="Median")), "queries[0].stat"),
        (asked(query(stat="p101")), "queries[0].stat"),
        (asked(query(periodSeconds=0)), "queries[0].periodSeconds"),
        (asked(query(periodSeconds=7)), "queries[0].periodSeconds"),
        (asked(query(id="")), "queries[0].id"),
        (asked(query(namespace="a\nb")), "queries[0].namespace"),
        (asked(query(expression="a + b")), "queries[0].expression"),
        (asked(query(), more=1), "more"),
    ],
)
def test_a_question_that_cannot_be_answered(api: Api, body: dict[str, Any], field: str) -> None:
    assert api("POST", "/ops/metrics", body).fields == [field]


def test_a_hundred_queries_over_three_hours_are_not_too_many(api: Api) -> None:
    queries = [query(id=str(number), periodSeconds=60) for number in range(100)]
    body = asked(*queries, endsAt="2026-11-22T13:00:00Z")
    assert len(api("POST", "/ops/metrics", body).json["results"]) == 100


def test_alarms_of_this_stage_composite_ones_first(api: Api, services: MemoryServices) -> None:
    services.cloudwatch.alarms = [
        Alarm(name="onsale-local-a", composite=False, threshold=60.0, metric="OldestAge", **STANDS),
        Alarm(name="onsale-local-t", composite=True, threshold=None, metric=None, **STANDS),
        Alarm(name="onsale-prod-a", composite=False, threshold=1.0, metric="OldestAge", **STANDS),
    ]
    answer = api("GET", "/ops/alarms")
    assert [item["name"] for item in answer.json["items"]] == ["onsale-local-t", "onsale-local-a"]
    assert answer.json["items"][1] == {
        "name": "onsale-local-a",
        "description": "d",
        "state": "OK",
        "reason": "r",
        "since": "2026-11-22T10:00:00Z",
        "composite": False,
        "threshold": 60.0,
        "metric": "OldestAge",
    }


def test_the_history_of_a_span(api: Api, services: MemoryServices) -> None:
    services.cloudwatch.changes = [
        AlarmChange(name="onsale-local-a", at=float(AT + later), before="OK", after="ALARM", reason="r")
        for later in (0, 60, 120)
    ]
    span = "startsAt=2026-11-22T10:01:00Z&endsAt=2026-11-22T10:02:00Z"
    found = api("GET", f"/ops/alarms/history?{span}").json["items"]
    assert found == [
        {
            "name": "onsale-local-a",
            "at": "2026-11-22T10:01:00Z",
            "before": "OK",
            "after": "ALARM",
            "reason": "r",
        }
    ]
    assert api("GET", "/ops/alarms/history").status == 200


@pytest.mark.parametrize(
    ("span", "field"),
    [
        ("startsAt=2026-11-22T10:02:00Z&endsAt=2026-11-22T10:02:00Z", "endsAt"),
        ("startsAt=2026-09-22T10:02:00Z&endsAt=2026-11-22T10:02:00Z", "startsAt"),
        ("endsAt=0.5", "endsAt"),
        ("endsAt=2026-11-22", "endsAt"),
        ("startsAt=2026-11-22T10:02:00", "startsAt"),
        ("endsAt=0001-01-01T00:00:00Z", "endsAt"),
        ("since=1", "since"),
    ],
)
def test_a_span_that_is_none(api: Api, span: str, field: str) -> None:
    assert api("GET", f"/ops/alarms/history?{span}").fields == [field]


def test_the_dashboard_is_the_one_of_the_settings() -> None:
    services = MemoryServices(dashboard_name="onsale-local")
    services.cloudwatch.dashboards["onsale-local"] = {"widgets": [{"type": "text"}]}
    answer = Api(services)("GET", "/ops/dashboard")
    assert answer.json == {"name": "onsale-local", "body": {"widgets": [{"type": "text"}]}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/ops/dashboard", None),
        ("POST", "/ops/metrics", asked(query())),
        ("GET", "/ops/alarms", None),
        ("GET", "/ops/alarms/history", None),
    ],
)
def test_without_cloudwatch_the_answer_is_not_now(
    api: Api, services: MemoryServices, method: str, path: str, body: Any
) -> None:
    services.cloudwatch = Down("cloudwatch")
    answer = api(method, path, body)
    assert answer.problem == (503, "unavailable")
    assert "secret-host" not in answer.text
