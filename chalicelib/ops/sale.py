"""How a sale goes: where its tickets are, its sell curve, who was turned away, when it will be sold out.

Put together of three sources: gate and ledger at one moment (`realign`), the ledger's orders, CloudWatch's
counts. It knows no HTTP and no SQL.

The curve shows when each ticket that is taken now was taken. A ticket that came back (cancelled, expired) is
not in it, so that the curve ends where sold + reserved stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from chalicelib.ops import measured
from chalicelib.realign import Tickets, conservation
from chalicelib.rules import LOOK_BACK_SECONDS, Forecast, forecast

if TYPE_CHECKING:
    from chalicelib.model import Event, Sales
    from chalicelib.services import Services

BUCKETS_AT_MOST = 300
"""About as many as a chart has pixels for."""
BUCKET_SECONDS = (1, 5, 10, 60)
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""No sale is looked at outside; a curve that is asked for there ends here."""
_SECOND = timedelta(seconds=1)


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets taken in each bucket of `bucket_seconds` from `starts_at` on, and in all before it."""

    starts_at: datetime
    bucket_seconds: int
    sold: list[int]
    sold_before: int


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """One event's sale, seen at `as_of`. What CloudWatch knows is None while it does not answer."""

    event: Event
    tickets: Tickets
    first_accepted_at: datetime | None
    sold_out_at: datetime | None
    """When the last ticket went, as the ledger has it; None while any is left."""
    buyers: int
    curve: Curve
    rejected: dict[str, int]
    """Orders that the ledger refused within the curve's time, by reason."""
    refused: dict[str, int] | None
    """Orders that the door refused within the curve's time, by problem code."""
    attempts_per_second: float | None
    forecast: Forecast
    as_of: datetime


class Frame(msgspec.Struct, frozen=True):
    """Which time a curve shows."""

    starts_at: datetime
    bucket_seconds: int
    buckets: int

    @property
    def ends_at(self) -> datetime:
        """Where the last bucket ends."""
        return self.starts_at + self.buckets * self.bucket_seconds * _SECOND


def frame(seconds: int, ends_at: datetime) -> Frame:
    """Chooses the finest buckets that show the `seconds` until `ends_at` in BUCKETS_AT_MOST of them.

    Buckets begin at multiples of their length, so that none changes its place from one look to the next;
    the last one may not be over yet.
    """
    size = next(size for size in BUCKET_SECONDS if seconds <= size * BUCKETS_AT_MOST)
    count = -(-seconds // size)
    end = -(-min(max(ends_at, EARLIEST), LATEST).timestamp() // size) * size
    return Frame(datetime.fromtimestamp(end - count * size, UTC), size, count)


def sale(
    services: Services, event_id: int, codes: Sequence[str], seconds: int, ends_at: datetime | None = None
) -> Sale:
    """Looks at a sale over the `seconds` (1 to 18,000) until `ends_at`, by default until now.

    `codes` are the problem codes that the door can refuse an order with. Raises
    Rejected("event-not-found"), or Unavailable when gate or ledger does not answer.
    """
    event = services.ledger.event(event_id)
    found = conservation(services, event_id)
    now = services.clock()
    shown = frame(seconds, ends_at or now)
    edges = _edges(shown, now)
    sales = services.ledger.sales(event_id, edges)
    left = found.total.capacity - found.total.sold - found.total.reserved
    return Sale(
        event=event,
        tickets=found.total,
        first_accepted_at=sales.first_accepted_at,
        sold_out_at=None if left else sales.last_sold_at,
        buyers=sales.buyers,
        curve=_curve(shown, edges, sales),
        rejected=_rejected(shown, edges, sales),
        refused=measured.refused(
            services, event_id, codes, shown.starts_at, shown.ends_at, shown.bucket_seconds
        ),
        attempts_per_second=measured.attempts_per_second(services, event_id),
        forecast=forecast(_lately(edges, sales, now), found.total.available, now),
        as_of=found.as_of,
    )


def _edges(shown: Frame, now: datetime) -> list[datetime]:
    """Where the curve's buckets begin and its last one ends, and the last seconds until now, in one line."""
    size = shown.bucket_seconds * _SECOND
    buckets = (shown.starts_at + place * size for place in range(shown.buckets + 1))
    lately = (now - age * _SECOND for age in range(LOOK_BACK_SECONDS + 1))
    return sorted({*buckets, *lately})


def _curve(shown: Frame, edges: Sequence[datetime], sales: Sales) -> Curve:
    size = shown.bucket_seconds * _SECOND
    sold = [0] * shown.buckets
    before = sales.sold[0]
    for edge, tickets in zip(edges, sales.sold[1:], strict=True):
        if edge < shown.starts_at:
            before += tickets
        elif edge < shown.ends_at:
            sold[(edge - shown.starts_at) // size] += tickets
    return Curve(
        starts_at=shown.starts_at, bucket_seconds=shown.bucket_seconds, sold=sold, sold_before=before
    )


def _rejected(shown: Frame, edges: Sequence[datetime], sales: Sales) -> dict[str, int]:
    counts: dict[str, int] = {}
    for edge, reasons in zip(edges, sales.rejected[1:], strict=True):
        if shown.starts_at <= edge < shown.ends_at:
            for reason, orders in reasons.items():
                counts[reason] = counts.get(reason, 0) + orders
    return counts


def _lately(edges: Sequence[datetime], sales: Sales, now: datetime) -> list[int]:
    """Tickets taken in each of the last seconds, the one that ends now last."""
    since = now - LOOK_BACK_SECONDS * _SECOND
    sold = [0] * LOOK_BACK_SECONDS
    for edge, tickets in zip(edges, sales.sold[1:], strict=True):
        if since <= edge < now:
            sold[(edge - since) // _SECOND] += tickets
    return sold
