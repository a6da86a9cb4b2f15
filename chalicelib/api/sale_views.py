"""What an operator is shown of a sale and of the queue. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.api.answers import Output, utc
from chalicelib.api.event_views import event_status
from chalicelib.aws.mapping import MappingState
from chalicelib.identity.principal import Role

if TYPE_CHECKING:
    from chalicelib.aws.mapping import Mapping as QueueMapping
    from chalicelib.ops import sale as sales
    from chalicelib.ops.standing import Standing


class MeView(Output, frozen=True):
    """Who asks, as their token says. Without tokens (`authMode` open) everybody may change everything."""

    subject: str | None
    roles: list[Role]
    may_change: bool
    auth_mode: str
    stage: str


class CurveView(Output, frozen=True):
    """Tickets that are taken now, by when they were: in each bucket from `startsAt` on, and in all before."""

    starts_at: datetime
    bucket_seconds: int
    sold: list[int]
    sold_before: int


class CountView(Output, frozen=True):
    """How often a problem code, or a reason, was the answer."""

    code: str
    count: int


class ForecastView(Output, frozen=True):
    """When all will be sold at the rate of the last seconds; null when nothing sells or nothing is left."""

    sold_out_at: datetime | None
    tickets_per_second: float


class SaleView(Output, frozen=True):
    """A sale at one moment. `refused` (at the door) and `rejected` (in the ledger) count the curve's time.

    `refused` and `attemptsPerSecond` are null while CloudWatch does not answer. `acceptedAt` is the first
    order's, `soldOutAt` when the last ticket went, `buyers` those who have tickets.
    """

    event_id: int
    name: str
    status: str
    capacity: int
    sold: int
    reserved: int
    pending: int
    available: int
    gap: int
    accepted_at: datetime | None
    sold_out_at: datetime | None
    time_to_sell_out_seconds: float | None
    forecast: ForecastView
    attempts_per_second: float | None
    buyers: int
    curve: CurveView
    refused: list[CountView] | None
    rejected: list[CountView]
    as_of: datetime


class FulfilmentView(Output, frozen=True):
    """Whether orders are decided, and how many at once; null is what is not told, or has no limit."""

    state: MappingState
    batch_size: int | None
    window_seconds: int | None
    maximum_concurrency: int | None


class QueueView(Output, frozen=True):
    """Messages that wait, are being worked on, come later, or were given up; SQS counts approximately.

    `oldestAgeSeconds` is null while the gate does not answer, `donePerMinute` while CloudWatch does not.
    """

    waiting: int
    in_flight: int
    delayed: int
    dead: int
    oldest_age_seconds: float | None
    done_per_minute: float | None
    fulfilment: FulfilmentView
    as_of: datetime


def sale_view(found: sales.Sale) -> SaleView:
    """Shows a sale."""
    event, tickets, curve = found.event, found.tickets, found.curve
    return SaleView(
        event_id=event.id,
        name=event.name,
        status=event_status(event, found.as_of),
        capacity=tickets.capacity,
        sold=tickets.sold,
        reserved=tickets.reserved,
        pending=tickets.pending,
        available=tickets.available,
        gap=tickets.gap,
        accepted_at=utc(found.first_accepted_at),
        sold_out_at=utc(found.sold_out_at),
        time_to_sell_out_seconds=_seconds_between(found.first_accepted_at, found.sold_out_at),
        forecast=ForecastView(
            sold_out_at=utc(found.forecast.sold_out_at),
            tickets_per_second=round(found.forecast.tickets_per_second, 3),
        ),
        attempts_per_second=found.attempts_per_second,
        buyers=found.buyers,
        curve=CurveView(
            starts_at=curve.starts_at.astimezone(UTC),
            bucket_seconds=curve.bucket_seconds,
            sold=curve.sold,
            sold_before=curve.sold_before,
        ),
        refused=None if found.refused is None else _counts(found.refused),
        rejected=_counts(found.rejected),
        as_of=found.as_of.astimezone(UTC),
    )


def queue_view(found: Standing) -> QueueView:
    """Shows the queue."""
    return QueueView(
        waiting=found.orders.waiting,
        in_flight=found.orders.in_flight,
        delayed=found.orders.delayed,
        dead=found.dead,
        oldest_age_seconds=found.oldest_age_seconds,
        done_per_minute=found.done_per_minute,
        fulfilment=fulfilment_view(found.fulfilment),
        as_of=found.as_of.astimezone(UTC),
    )


def fulfilment_view(mapping: QueueMapping) -> FulfilmentView:
    """Shows what hands batches of orders over."""
    return FulfilmentView(
        state=mapping.state,
        batch_size=mapping.batch_size,
        window_seconds=mapping.window_seconds,
        maximum_concurrency=mapping.maximum_concurrency,
    )


def _counts(counts: Mapping[str, int]) -> list[CountView]:
    """The most frequent first."""
    listed = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [CountView(code=code, count=count) for code, count in listed]


def _seconds_between(first: datetime | None, last: datetime | None) -> float | None:
    return None if first is None or last is None else (last - first).total_seconds()
