"""What CloudWatch has counted of a sale and of the queue. It knows metrics and their names, and no store.

A view goes without these figures while CloudWatch does not answer: each function returns None then. They are
as fresh as CloudWatch is: seconds on one machine, up to a minute in AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.cloudwatch import MetricQuery, MetricSeries
from chalicelib.errors import Unavailable
from chalicelib.log import log

if TYPE_CHECKING:
    from chalicelib.services import Services

NAMESPACE = "Onsale"
ATTEMPT_SECONDS = 10
"""Attempts a second are the mean of so many seconds: a crowd's own noise is gone after ten."""
SECONDS_KEPT = timedelta(hours=3)
"""CloudWatch keeps periods under a minute for so long (Amazon CloudWatch User Guide, "Metrics retention")."""
MINUTE = 60


def refused(  # noqa: PLR0913, PLR0917 - what was refused of whom, and when
    services: Services,
    event_id: int,
    codes: Sequence[str],
    starts_at: datetime,
    ends_at: datetime,
    period_seconds: int,
) -> dict[str, int] | None:
    """Counts the orders that the door refused between two times, by problem code; only codes that occur.

    A window that began over three hours ago is counted by whole minutes.
    """
    if services.clock() - starts_at > SECONDS_KEPT:
        period_seconds = max(period_seconds, MINUTE)
    event = _event(services, event_id)
    queries = [_query(code, "Refused", event | {"Code": code}, period_seconds) for code in codes]
    found = _ask(services, queries, starts_at, ends_at)
    if found is None:
        return None
    return {series.id: count for series in found if (count := round(sum(series.values)))}


def attempts_per_second(services: Services, event_id: int) -> float | None:
    """Orders asked for a second of late: accepted and refused."""
    now = services.clock().replace(microsecond=0)
    event = _event(services, event_id)
    queries = [_query(name, name, event, 1) for name in ("Accepted", "Refused")]
    found = _ask(services, queries, now - timedelta(seconds=ATTEMPT_SECONDS), now)
    if found is None:
        return None
    return sum(sum(series.values) for series in found) / ATTEMPT_SECONDS


def done_per_minute(services: Services) -> float | None:
    """Messages deleted from the order queue in the last whole minute that was counted; 0 when none was."""
    now = services.clock()
    queue = {"QueueName": services.settings.order_queue_url.rpartition("/")[2]}
    query = _query("done", "NumberOfMessagesDeleted", queue, MINUTE, namespace="AWS/SQS")
    found = _ask(services, [query], now - timedelta(seconds=4 * MINUTE), now)
    if found is None:
        return None
    points = [point for series in found for point in zip(series.times, series.values, strict=True)]
    whole = [value for begins, value in points if begins + MINUTE <= now.timestamp()]
    return (whole or [value for _, value in points] or [0.0])[-1]


def _event(services: Services, event_id: int) -> dict[str, str]:
    return {"Stage": services.settings.stage, "EventId": str(event_id)}


def _query(
    name: str, metric: str, dimensions: Mapping[str, str], period_seconds: int, namespace: str = NAMESPACE
) -> MetricQuery:
    return MetricQuery(
        id=name,
        namespace=namespace,
        metric=metric,
        dimensions=dimensions,
        stat="Sum",
        period_seconds=period_seconds,
    )


def _ask(
    services: Services, queries: Sequence[MetricQuery], starts_at: datetime, ends_at: datetime
) -> list[MetricSeries] | None:
    """Asks CloudWatch once; None when it does not answer."""
    try:
        return services.cloudwatch.get_metric_data(queries, starts_at.timestamp(), ends_at.timestamp())
    except Unavailable as error:
        log("not-measured", "warning", part=error.part, cause=error.detail)
        return None
