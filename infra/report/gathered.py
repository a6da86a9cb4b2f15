"""What the service was asked about a sale, as it answered: shapes only, no arithmetic and no words.

Times are aware; counts are what the named call says. What could not be had is None, and `missing` says why.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer of the service; more fields than these are let through."""


class EventShown(Shown, frozen=True):
    """As much of GET /events/{id} as a report says."""

    id: int
    name: str
    status: str
    total_tickets: int
    sales_open_at: datetime | None = None
    sales_close_at: datetime | None = None


class CurveShown(Shown, frozen=True):
    """Tickets that the ledger sold in each bucket, and before the first."""

    starts_at: datetime
    bucket_seconds: float
    sold: tuple[int, ...]
    sold_before: int = 0


class CodeCount(Shown, frozen=True):
    """How often a problem code or a reason came."""

    code: str
    count: int


class SaleShown(Shown, frozen=True):
    """As much of GET /ops/events/{id}/sale as a report says."""

    capacity: int
    sold: int
    reserved: int
    curve: CurveShown
    as_of: datetime
    buyers: int | None = None
    accepted_at: datetime | None = None
    sold_out_at: datetime | None = None
    time_to_sell_out_seconds: float | None = None
    rejected: tuple[CodeCount, ...] = ()


class ConservationShown(Shown, frozen=True):
    """GET /ops/events/{id}/conservation."""

    capacity: int
    sold: int
    reserved: int
    pending: int
    available: int
    gap: int
    sources: dict[str, str]
    as_of: datetime


class Series(Shown, frozen=True):
    """One metric over time: `times` in seconds since 1970, ascending, each with its value."""

    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()


class AlarmChange(Shown, frozen=True):
    """One line of GET /ops/alarms/history."""

    name: str
    at: datetime
    before: str
    after: str
    reason: str = ""


class Action(Shown, frozen=True):
    """One line of GET /ops/log; who did it is not read: a report is handed around."""

    at: datetime
    action: str
    target: str
    reason: str | None = None


class Window(Shown, frozen=True):
    """The stretch of time that a report is about."""

    starts_at: datetime
    ends_at: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.ends_at - self.starts_at).total_seconds()


class Missing(Shown, frozen=True):
    """A source that could not be read: which, and the service's words for why."""

    source: str
    why: str


class Gathered(Shown, frozen=True, kw_only=True):
    """Everything that a report is made from."""

    event: EventShown
    made_at: datetime
    window: Window
    window_given: bool
    """Whether somebody named the window; otherwise it was chosen by when people asked for tickets."""
    period_seconds: int
    stage: str | None = None
    sale: SaleShown | None = None
    conservation: ConservationShown | None = None
    series: dict[str, Series] | None = None
    """By the ids of `queries.py`."""
    alarms: tuple[AlarmChange, ...] | None = None
    actions: tuple[Action, ...] | None = None
    missing: tuple[Missing, ...] = ()
