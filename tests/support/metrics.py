"""Asking a running stack for metrics, as its page does: over HTTP, by POST /ops/metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.stack import Stack

BACK = timedelta(minutes=10)
AHEAD = timedelta(seconds=2)


def query(  # noqa: PLR0917 - what a query consists of
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    stat: str = "Sum",
    period: int = 60,
    name: str = "q",
) -> dict[str, Any]:
    """One statistic of one metric, as the API takes it."""
    return {
        "id": name,
        "namespace": namespace,
        "metric": metric,
        "dimensions": dict(dimensions),
        "stat": stat,
        "periodSeconds": period,
    }


def answers(stack: Stack, queries: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The values of the last ten minutes, by the query's id."""
    now = datetime.now(UTC)
    body = {"startsAt": (now - BACK).isoformat(), "endsAt": (now + AHEAD).isoformat(), "queries": queries}
    answer = stack.call("POST", "/ops/metrics", body)
    assert answer.status == 200, answer.json
    return {result["id"]: result["values"] for result in answer.json["results"]}


def total(stack: Stack, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
    """The sum over the last ten minutes."""
    (values,) = answers(stack, [query(namespace, metric, dimensions)]).values()
    return sum(values)
