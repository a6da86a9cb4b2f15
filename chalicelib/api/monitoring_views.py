"""What is asked of CloudWatch, and what is shown of its answers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.answers import Output
from chalicelib.api.reading import field_error
from chalicelib.api.schemas import Input, Moment
from chalicelib.errors import InvalidRequest

if TYPE_CHECKING:
    from chalicelib.aws.cloudwatch import Alarm, AlarmChange, MetricQuery, MetricSeries

POINTS_AT_MOST = 100_800
"""CloudWatch's own limit of one GetMetricData."""
HISTORY_DAYS = 30
"""How long CloudWatch keeps an alarm's history."""

# CloudWatch's own bounds, in visible ASCII.
_NAME = r"^[ -~]*(?![\s\S])"
_STAT = r"^(SampleCount|Sum|Average|Minimum|Maximum|p([0-9]{1,2}(\.[0-9]{1,10})?|100))(?![\s\S])"
QueryId = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=_NAME, description="The asker's own; comes back")
]
AwsName = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NAME)]
DimensionValue = Annotated[str, Meta(min_length=1, max_length=1_024, pattern=_NAME)]
Dimensions = Annotated[dict[AwsName, DimensionValue], Meta(max_length=30)]
Statistic = Annotated[str, Meta(pattern=_STAT, description="As CloudWatch names it: Sum, Average, p99 …")]
Period = Annotated[
    int,
    Meta(ge=1, le=86_400, description="1, 5, 10, 20, 30 or a multiple of 60 seconds; what CloudWatch has"),
]
QueryMoment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[0-9]{4}-[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*(?![\s\S])",
        description="RFC 3339, with an offset",
        extra_json_schema={"format": "date-time"},
    ),
]
"""Text until it is read: in a query, msgspec would take a number for a time as well."""
State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class MetricAsked(Input, frozen=True):
    """One statistic of one metric."""

    id: QueryId
    namespace: AwsName
    metric: AwsName
    stat: Statistic
    period_seconds: Period
    dimensions: Dimensions = msgspec.field(default_factory=dict)


class MetricsAsked(Input, frozen=True):
    """Statistics over [startsAt, endsAt). Ids are told apart; all points together are 100,800 at most."""

    starts_at: Moment
    ends_at: Moment
    queries: Annotated[list[MetricAsked], Meta(min_length=1, max_length=100)]


class HistorySearch(Input, frozen=True):
    """From when to when; the day until now, unless it is said."""

    starts_at: QueryMoment | UnsetType = UNSET
    ends_at: QueryMoment | UnsetType = UNSET

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """From when to when. Raises InvalidRequest when that is no span, or a longer one than is kept."""
        end = now if self.ends_at is UNSET else _read("endsAt", self.ends_at)
        try:
            start = end - timedelta(days=1) if self.starts_at is UNSET else _read("startsAt", self.starts_at)
        except OverflowError as error:
            raise InvalidRequest([("endsAt", "is out of range")]) from error
        if not start < end:
            raise InvalidRequest([("endsAt", "must be after startsAt")])
        if end - start > timedelta(days=HISTORY_DAYS):
            raise InvalidRequest([("startsAt", f"must be within {HISTORY_DAYS} days before endsAt")])
        return start, end


class DashboardView(Output, frozen=True):
    """A CloudWatch dashboard: `body` is its definition, as PutDashboard takes it."""

    name: str
    body: dict[str, Any]


class SeriesView(Output, frozen=True):
    """Points of one query, ascending: when a period begins, in seconds since the Unix epoch, and its value.

    A period without data has no point.
    """

    id: str
    times: list[int]
    values: list[float]


class MetricResults(Output, frozen=True):
    """One result for each query, in their order."""

    results: list[SeriesView]
    as_of: datetime


class AlarmView(Output, frozen=True):
    """An alarm and how it stands. A composite one looks at others; it has no threshold and no metric."""

    name: str
    description: str
    state: State
    reason: str
    since: datetime
    composite: bool
    threshold: float | None
    metric: str | None


class AlarmList(Output, frozen=True):
    """Every alarm of this stage, composite ones first."""

    items: list[AlarmView]
    as_of: datetime


class ChangeView(Output, frozen=True):
    """An alarm went from one state to another."""

    name: str
    at: datetime
    before: State
    after: State
    reason: str


class AlarmHistory(Output, frozen=True):
    """What has changed, ascending."""

    items: list[ChangeView]


def check_span(asked: MetricsAsked) -> None:
    """Raises InvalidRequest for a span that is none, a period that CloudWatch lacks, or too many points."""
    seconds = (asked.ends_at - asked.starts_at).total_seconds()
    if seconds <= 0:
        raise InvalidRequest([("endsAt", "must be after startsAt")])
    for place, query in enumerate(asked.queries):
        if query.period_seconds not in {1, 5, 10, 20, 30} and query.period_seconds % 60:
            raise InvalidRequest([(f"queries[{place}].periodSeconds", "is not a period that CloudWatch has")])
    if len({query.id for query in asked.queries}) < len(asked.queries):
        raise InvalidRequest([("queries", "must have ids of their own")])
    points = sum(seconds / query.period_seconds for query in asked.queries)
    if points > POINTS_AT_MOST:
        raise InvalidRequest([("queries", f"ask for more than {POINTS_AT_MOST} points")])


def query_of(asked: MetricAsked) -> MetricQuery:
    """What CloudWatch is asked."""
    from chalicelib.aws.cloudwatch import MetricQuery  # its client is no part of the door

    return MetricQuery(
        id=asked.id,
        namespace=asked.namespace,
        metric=asked.metric,
        dimensions=asked.dimensions,
        stat=asked.stat,
        period_seconds=asked.period_seconds,
    )


def series_view(found: MetricSeries) -> SeriesView:
    """Shows a query's points."""
    return SeriesView(id=found.id, times=found.times, values=found.values)


def alarm_view(found: Alarm) -> AlarmView:
    """Shows an alarm."""
    return AlarmView(
        name=found.name,
        description=found.description,
        state=_state(found.state),
        reason=found.reason,
        since=_moment(found.since),
        composite=found.composite,
        threshold=found.threshold,
        metric=found.metric,
    )


def change_view(found: AlarmChange) -> ChangeView:
    """Shows a change of an alarm."""
    return ChangeView(
        name=found.name,
        at=_moment(found.at),
        before=_state(found.before),
        after=_state(found.after),
        reason=found.reason,
    )


def _read(field: str, text: str) -> datetime:
    try:
        return msgspec.convert(text, Moment)
    except msgspec.ValidationError as error:
        raise InvalidRequest([field_error(f"{error} - at `$.{field}`")]) from error


def _state(text: str) -> State:
    """A state that CloudWatch invents later is one about which nothing is known."""
    return text if text in {"OK", "ALARM"} else "INSUFFICIENT_DATA"  # type: ignore[return-value]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
