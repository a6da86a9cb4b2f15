"""Lines that carry metrics: CloudWatch can read each of them, and the table says what is in them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.log import about, set_level
from chalicelib.metrics import MAX_VALUES, METRICS, chunks, emit, set_stage
from chalicelib.services import Services
from chalicelib.settings import Settings
from tests.support.emf import UNITS, Point, faults, metric_lines, points


@pytest.fixture(autouse=True)
def stage() -> Iterator[None]:
    about()
    set_stage("prod")
    yield
    set_stage("local")
    set_level("info")


def written(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return metric_lines(capfd.readouterr().out)


def test_every_metric_of_the_table_makes_a_line_that_cloudwatch_reads(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in METRICS:
        emit("said", {name: 1}, event_id=7, code="sold-out")
    said = written(capfd)
    assert [faults(line) for line in said] == [[]] * len(METRICS)
    for line, (name, metric) in zip(said, METRICS.items(), strict=True):
        found = points([line])
        assert {(point.name, point.unit) for point in found} == {(name, metric.unit)}
        assert [tuple(point.dimensions) for point in found] == list(metric.sets)
        assert {point.dimensions["Stage"] for point in found} == {"prod"}


def test_the_table_is_what_cloudwatch_can_hold() -> None:
    for metric in METRICS.values():
        assert metric.unit in UNITS
        assert ("Stage",) in metric.sets, "each has its total"
        assert len(set(metric.sets)) == len(metric.sets)
        assert set().union(*metric.sets) <= {"Stage", "EventId", "Code"}


def test_a_line_is_a_line_of_the_log_with_all_that_it_says(capfd: pytest.CaptureFixture[str]) -> None:
    about(requestId="r-1")
    emit("order-refused", {"Refused": 1}, "warning", {"eventId": 7}, event_id=7, code="sold-out")
    (line,) = written(capfd)
    assert {name: line[name] for name in ("level", "event", "requestId", "eventId", "EventId", "Code")} == {
        "level": "warning",
        "event": "order-refused",
        "requestId": "r-1",
        "eventId": 7,
        "EventId": "7",
        "Code": "sold-out",
    }
    assert abs(time.time() * 1_000 - line["_aws"]["Timestamp"]) < 60_000


def test_metrics_of_different_sets_have_a_directive_each(capfd: pytest.CaptureFixture[str]) -> None:
    emit("order-accepted", {"Accepted": 1, "AcceptLatency": 3.25}, event_id=7)
    assert points(written(capfd)) == [
        Point("Accepted", "Count", {"Stage": "prod"}, (1,)),
        Point("Accepted", "Count", {"Stage": "prod", "EventId": "7"}, (1,)),
        Point("AcceptLatency", "Milliseconds", {"Stage": "prod"}, (3.25,)),
    ]


def test_a_set_is_left_out_while_something_of_it_is_not_known(capfd: pytest.CaptureFixture[str]) -> None:
    emit("order-refused", {"Refused": 1}, code="malformed-body")
    emit("order-refused", {"Refused": 1})
    first, second = written(capfd)
    assert [set(point.dimensions) for point in points([first])] == [{"Stage"}, {"Stage", "Code"}]
    assert [set(point.dimensions) for point in points([second])] == [{"Stage"}]
    assert faults(first) == faults(second) == []


def test_a_gauge_of_one_event_can_stay_out_of_the_total(capfd: pytest.CaptureFixture[str]) -> None:
    emit("event-reconciled", {"GateDrift": 3}, event_id=7, of_event_only=True)
    (line,) = written(capfd)
    assert faults(line) == []
    assert points([line]) == [Point("GateDrift", "Count", {"Stage": "prod", "EventId": "7"}, (3,))]


def test_a_metric_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        emit("said", {"Happiness": 1})


def test_metrics_are_written_whatever_the_level_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    set_level("error")
    emit("order-accepted", {"Accepted": 1})
    assert len(written(capfd)) == 1


def test_the_stage_is_that_of_the_services(capfd: pytest.CaptureFixture[str]) -> None:
    Services(Settings(stage="autumn"))
    emit("order-accepted", {"Accepted": 1})
    assert [point.dimensions for point in points(written(capfd))] == [{"Stage": "autumn"}]


@pytest.mark.parametrize("count", [0, 1, MAX_VALUES, MAX_VALUES + 1, 1_000])
def test_many_values_go_in_as_many_lines_as_it_takes(count: int, capfd: pytest.CaptureFixture[str]) -> None:
    for part in chunks([float(place) for place in range(count)]):
        emit("orders-decided", {"DecideLatency": part})
    said = written(capfd)
    assert [faults(line) for line in said] == [[]] * len(said)
    assert [value for point in points(said) for value in point.values] == list(range(count))
    assert len(said) == -(-count // MAX_VALUES)


GOOD = {
    "Stage": "prod",
    "Accepted": 1,
    "_aws": {
        "Timestamp": 1_700_000_000_000,
        "CloudWatchMetrics": [
            {
                "Namespace": "Onsale",
                "Dimensions": [["Stage"]],
                "Metrics": [{"Name": "Accepted", "Unit": "Count", "StorageResolution": 1}],
            }
        ],
    },
}
BAD = {
    "no metrics at all": ('"_aws"', '"aws"'),
    "a time that is a text": ("1700000000000", '"now"'),
    "no namespace": ('"Namespace": "Onsale"', '"Namespace": ""'),
    "no dimensions": ('[["Stage"]]', "[]"),
    "a dimension that is not there": ('[["Stage"]]', '[["Stage", "EventId"]]'),
    "a dimension that is a number": ('"Stage": "prod"', '"Stage": 1'),
    "a metric that is not there": ('"Accepted": 1', '"accepted": 1'),
    "a metric that is a text": ('"Accepted": 1', '"Accepted": "1"'),
    "a metric without a value": ('"Accepted": 1', '"Accepted": []'),
    "101 values": ('"Accepted": 1', f'"Accepted": {[1] * 101}'),
    "a unit that is none": ('"Count"', '"Orders"'),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_the_reader_finds_what_cloudwatch_would_not_take(change: tuple[str, str]) -> None:
    """The control of all that is found to be right."""
    text = json.dumps(GOOD)
    assert faults(json.loads(text)) == []
    assert change[0] in text
    assert faults(json.loads(text.replace(*change))) != []
