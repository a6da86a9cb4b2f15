"""The words of this package: a metric, and what was measured of it. They know nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Metric(NamedTuple):
    """One metric as CloudWatch tells them apart: another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    """Pairs of name and value, sorted by name."""


def metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
    """The metric with these dimensions, in whichever order they are given."""
    return Metric(namespace, name, tuple(sorted(dimensions.items())))


class Target:
    """Metrics that always get the same values, because one line names them all. Equal only to itself."""

    __slots__ = ("metrics",)

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = tuple(metrics)


Points = dict[tuple[Target, int], dict[float, float]]
"""What was measured: by target and second (since the Unix epoch), each value with its number of samples."""
