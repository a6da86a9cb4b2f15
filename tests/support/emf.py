"""Reads metrics out of log lines as CloudWatch does, and says what its specification would not take.

By "Specification: Embedded metric format" of the CloudWatch user guide. It shares nothing with the writer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

UNITS = frozenset({"Count", "Milliseconds", "Seconds", "Percent", "Bytes", "None"})


class Point(NamedTuple):
    """Values of one metric under one set of dimensions."""

    name: str
    unit: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]


def lines(text: str) -> list[dict[str, Any]]:
    """The lines of a log that are JSON objects."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def metric_lines(text: str) -> list[dict[str, Any]]:
    """Those of them that carry metrics."""
    return [line for line in lines(text) if "_aws" in line]


def points(found: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Every metric of lines without a fault, once for each of its dimension sets."""
    return [point for line in found for point in _points(line)]


def total(found: Iterable[Mapping[str, Any]], name: str, **dimensions: str) -> float:
    """The sum of a metric under exactly these dimensions."""
    return sum(
        sum(point.values) for point in points(found) if (point.name, point.dimensions) == (name, dimensions)
    )


def faults(line: Mapping[str, Any]) -> list[str]:
    """What is wrong with a line's metrics."""
    aws = line.get("_aws")
    if not isinstance(aws, dict):
        return ["there is no _aws object"]
    found = []
    if not isinstance(aws.get("Timestamp"), int) or isinstance(aws.get("Timestamp"), bool):
        found.append("Timestamp is no number of ms")
    for directive in aws.get("CloudWatchMetrics") or [{}]:
        found += _faults_of(directive, line)
    return found


def _faults_of(directive: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(directive.get("Namespace"), str) or not directive["Namespace"]:
        yield "a directive has no Namespace"
    sets, metrics = directive.get("Dimensions"), directive.get("Metrics")
    if not sets or not metrics:
        yield "a directive has no Dimensions or no Metrics"
        return
    if len(metrics) > 100:
        yield "a directive has over 100 metrics"
    for keys in sets:
        if len(keys) > 30:
            yield "a dimension set has over 30 keys"
        for key in keys:
            if not isinstance(line.get(key), str) or not line[key]:
                yield f"dimension {key} is no text"
    for metric in metrics:
        yield from _faults_of_metric(metric, line)


def _faults_of_metric(metric: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[str]:
    name = metric.get("Name")
    if metric.get("Unit") not in UNITS or metric.get("StorageResolution") not in {1, 60}:
        yield f"{name} has no such unit or resolution"
    values = _values(line.get(name or ""))
    if not values or any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        yield f"{name} has no number at the root"
    if len(values) > 100:
        yield f"{name} has over 100 values"


def _values(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _points(line: Mapping[str, Any]) -> Iterator[Point]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            for keys in directive["Dimensions"]:
                dimensions = {key: line[key] for key in keys}
                values = tuple(_values(line[metric["Name"]]))
                yield Point(metric["Name"], metric["Unit"], dimensions, values)
