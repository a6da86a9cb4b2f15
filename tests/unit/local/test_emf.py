"""Metrics out of log lines: what a line says comes out, and a line that says nothing costs nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.aws_metrics import Tally
from infra.local.cloudwatch.emf import Extractor
from infra.local.cloudwatch.metric import Metric, Points, metric

AT = 1_795_388_940


def line(members: dict[str, Any], *directives: dict[str, Any], at: int = AT) -> bytes:
    about = {"Timestamp": at * 1_000 + 7, "CloudWatchMetrics": list(directives)}
    return json.dumps({"event": "x", "_aws": about, **members}).encode()


def directive(*names: str, sets: list[list[str]], namespace: str = "Onsale") -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": "Count", "StorageResolution": 1} for name in names]
    return {"Namespace": namespace, "Dimensions": sets, "Metrics": metrics}


def flat(points: Points) -> dict[tuple[Metric, int], dict[float, float]]:
    return {(one, second): values for (target, second), values in points.items() for one in target.metrics}


def refused(**dimensions: str) -> Metric:
    return metric("Onsale", "Refused", dimensions)


def test_a_metric_is_counted_under_each_of_its_sets_of_dimensions() -> None:
    one = line(
        {"Stage": "local", "Code": "sold-out", "Refused": 1, "RefuseLatency": 2.5},
        directive("Refused", sets=[["Stage"], ["Stage", "Code"]]),
        directive("RefuseLatency", sets=[["Stage"]]),
    )
    assert flat(Extractor().points([one, one])) == {
        (refused(Stage="local"), AT): {1.0: 2},
        (refused(Stage="local", Code="sold-out"), AT): {1.0: 2},
        (metric("Onsale", "RefuseLatency", {"Stage": "local"}), AT): {2.5: 2},
    }


def test_an_array_is_many_samples_and_counts_say_how_many() -> None:
    sets = [["Stage"]]
    array = line({"Stage": "a", "Refused": [1, 2, 2]}, directive("Refused", sets=sets))
    counted = line(
        {"Stage": "b", "Refused": {"Values": [1, 2], "Counts": [1, 7]}}, directive("Refused", sets=sets)
    )
    assert flat(Extractor().points([array, counted])) == {
        (refused(Stage="a"), AT): {1.0: 1, 2.0: 2},
        (refused(Stage="b"), AT): {1.0: 1, 2.0: 7},
    }


def test_lines_of_one_kind_are_told_apart_by_their_dimensions_and_seconds() -> None:
    one = directive("Refused", sets=[["Stage", "Code"]])
    lines = [
        line({"Stage": "s", "Code": code, "Refused": 1}, one, at=at)
        for code, at in (("a", AT), ("b", AT), ("a", AT + 1))
    ]
    assert len(flat(Extractor().points(lines))) == 3


def test_no_dimensions_at_all_are_a_set_as_well() -> None:
    assert flat(Extractor().points([line({"Refused": 3}, directive("Refused", sets=[[]]))])) == {
        (refused(), AT): {3.0: 1}
    }


@pytest.mark.parametrize(
    "members", [{"Stage": "local"}, {"Refused": 1}, {}], ids=["no value", "no dimension", "nothing"]
)
def test_a_set_or_a_metric_whose_members_are_missing_is_left_out(members: dict[str, Any]) -> None:
    found = Extractor().points([line(members, directive("Refused", sets=[["Stage"]]))])
    assert all(not target.metrics or not values for (target, _), values in found.items())


@pytest.mark.parametrize(
    "odd",
    [
        b'{"_aws"',
        b'"_aws"',
        b'{"_aws": {}}',
        b"\xff\xfe\x00_aws",
        b'{"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}}',
        line({"Refused": "one"}, directive("Refused", sets=[[]])),
        line({"Stage": 7, "Refused": 1}, directive("Refused", sets=[["Stage"]])),
    ],
)
def test_a_line_that_is_no_emf_changes_nothing_and_the_next_one_counts(odd: bytes) -> None:
    good = line({"Refused": 1}, directive("Refused", sets=[[]]))
    assert flat(Extractor().points([odd, good])) == {(refused(), AT): {1.0: 1}}


def test_a_line_without_the_mark_is_not_even_read() -> None:
    extractor = Extractor()
    extractor.points([b'{"event": "order-refused"}', b"no JSON at all"])
    assert extractor.unreadable == 0
    extractor.points([b'no JSON, but "_aws"'])
    assert extractor.unreadable == 1


def test_what_the_stack_counts_by_itself_comes_out_as_it_was_counted() -> None:
    said: list[bytes] = []
    tally = Tally("AWS/X", {"Name": "x"}, {"4XXError": "Count", "Latency": "Milliseconds"}, write=said.append)
    for status, latency in ((0, 1.23), (1, 1.21), (0, 900)):
        tally.add(status, latency)
    tally.flush(AT)
    tally.flush(AT + 1)
    assert len(said) == 1, "a second in which nothing happened has no line"
    assert flat(Extractor().points(said)) == {
        (metric("AWS/X", "4XXError", {"Name": "x"}), AT): {0.0: 2, 1.0: 1},
        (metric("AWS/X", "Latency", {"Name": "x"}), AT): {1.2: 2, 900.0: 1},
    }
