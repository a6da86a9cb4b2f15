"""The report's figures as values: the object that `--json` prints, field for field. Shapes only.

Times are aware and in UTC; None is a figure that is not known, and `missing` says why.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from infra.cost.cost import Bill, Handling
from infra.report.gathered import CodeCount, Missing, Series, Window


class Figure(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Part of the report's figures."""


class Peak(Figure, frozen=True, kw_only=True):
    """The busiest stretch: `per_second` is its average, over `seconds` from `at`."""

    per_second: float
    at: datetime
    seconds: int


class Waits(Figure, frozen=True, kw_only=True):
    """How long something took, in milliseconds; `of` says whose it is."""

    what: str
    of: str
    p50: float
    p95: float
    p99: float


class Certificate(Figure, frozen=True, kw_only=True):
    """Where every ticket was at `as_of`: capacity = sold + reserved + pending + available + gap."""

    capacity: int
    sold: int
    reserved: int
    pending: int
    available: int
    gap: int
    as_of: datetime
    sources: dict[str, str]
    holds: bool
    sentence: str


class Moment(Figure, frozen=True, kw_only=True):
    """Something that happened, at a moment or `until` another; `kind` is alarm, fault, action or sale.

    `roughly`: it happened somewhere in that time, which is all that is known.
    """

    at: datetime
    until: datetime | None = None
    kind: str
    what: str
    detail: str = ""
    roughly: bool = False


class Slices(Figure, frozen=True, kw_only=True):
    """Counts in slices of `seconds`, one after the other from `starts_at`, by name; all equally long."""

    starts_at: datetime
    seconds: float
    counts: dict[str, tuple[float, ...]]


class Costs(Figure, frozen=True, kw_only=True):
    """What a million orders and a million refusals cost, and from what; None: nobody was refused."""

    orders: Bill
    refusals: Bill | None
    order_handled: Handling
    refusal_handled: Handling | None
    edge_requests: int
    """All requests of that time, of all events, looks at orders included."""
    edge_cost: float
    """What the edge takes for them."""
    region: str
    prices_as_of: str


class Sold(Figure, frozen=True, kw_only=True):
    """What the ledger says. `reserved` tickets are held for payment; `buyers` have some."""

    sold: int
    reserved: int
    buyers: int | None
    first_accept_at: datetime | None
    sold_out_at: datetime | None
    seconds_to_sell_out: float | None
    rejected: tuple[CodeCount, ...]
    """Orders that were let in and did not get their tickets, by reason."""
    over_time: Slices | None
    """Tickets: `sold` in each slice, and `total` at its end; None when none was sold in the window."""


class Asked(Figure, frozen=True, kw_only=True):
    """What the metrics say of everybody who asked for tickets, in orders."""

    accepted: int
    refused: int
    by_code: tuple[CodeCount, ...]
    """Refusals by problem code, most frequent first."""
    peak: Peak | None
    over_time: Slices


class Facts(Figure, frozen=True, kw_only=True):
    """Everything that the page says."""

    event_id: int
    event_name: str
    status: str
    capacity: int
    stage: str | None
    made_at: datetime
    window: Window
    window_given: bool
    span: Window
    """The part of the window in which anything happened: what the charts show."""
    resolution_seconds: int
    sold: Sold | None
    asked: Asked | None
    waits: tuple[Waits, ...]
    waits_over_time: dict[str, Series]
    moments: tuple[Moment, ...]
    certificate: Certificate | None
    costs: Costs | None
    missing: tuple[Missing, ...]
