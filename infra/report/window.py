"""Which stretch of time a report is about, and how finely CloudWatch can still be asked about it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.report.gathered import Series, Window

MINUTE = 60
DAY = timedelta(days=1)
"""A report covers at most this: CloudWatch's longest period, and as long as any rush."""
BEFORE = timedelta(minutes=10)
"""People who ask before the first order is accepted, looked for this long before it."""
QUIET_SHARE = 0.01
"""A minute with less than this share of the busiest minute's attempts is not part of the rush."""
PERIODS = (1, 5, 10, 30, 60, 300, 900, 3600)
MOST_POINTS = 300
"""Points in a chart: more cannot be told apart on paper."""
KEPT = ((timedelta(hours=3), 1), (timedelta(days=15), 60), (timedelta(days=63), 300), (DAY * 455, 3600))
"""CloudWatch keeps values so long at this period: AWS, `GetMetricData`, November 2026."""


def probe(accepted_at: datetime, now: datetime) -> Window:
    """Where to look for the rush, in whole minutes: from before the first accept, for a day at most."""
    starts_at = _floor(accepted_at - BEFORE)
    return Window(starts_at, _ceil(min(now, starts_at + DAY)))


def rush(attempts: Series, accepted_at: datetime, sold_out_at: datetime | None, now: datetime) -> Window:
    """The rush itself: from its first busy minute to its last, and never less than from accept to sell-out.

    `attempts` are counts a minute; without any it is from the first accept to the last ticket, or to now.
    """
    least = max(attempts.values, default=0.0) * QUIET_SHARE
    busy = [at for at, count in zip(attempts.times, attempts.values, strict=True) if count and count >= least]
    ends = [datetime.fromtimestamp(max(busy) + MINUTE, UTC)] if busy else [sold_out_at or now]
    starts = [datetime.fromtimestamp(min(busy), UTC)] if busy else []
    starts_at = _floor(min([accepted_at, *starts]))
    ends_at = _ceil(max([*ends, *([sold_out_at] if sold_out_at else [])]))
    return Window(starts_at, max(min(ends_at, _ceil(now), starts_at + DAY), starts_at + timedelta(minutes=1)))


def period_seconds(window: Window, now: datetime) -> int:
    """The finest period that CloudWatch still has for the window and that a chart can show."""
    age = now - window.starts_at
    finest = next((period for kept, period in KEPT if age < kept), PERIODS[-1])
    drawn = next((period for period in PERIODS if window.seconds / period <= MOST_POINTS), PERIODS[-1])
    return max(finest, drawn)


def one_bucket(window: Window) -> tuple[datetime, int] | None:
    """A start and a period whose first bucket holds the whole window, so that a percentile is over all of it.

    CloudWatch begins buckets at multiples of the period, which is of whole minutes up to a day; None when no
    such bucket holds the window. The bucket may begin before the window.
    """
    first, last = int(window.starts_at.timestamp()), int(window.ends_at.timestamp()) - 1
    for period in range(MINUTE, int(DAY.total_seconds()) + 1, MINUTE):
        if first // period == last // period:
            return datetime.fromtimestamp(first // period * period, UTC), period
    return None


def parts(window: Window, seconds: int) -> list[Window]:
    """The window, or parts of `seconds` that hold it, so that their curves can be laid end to end.

    Parts begin at whole minutes and are all of one length, and so are cut into buckets of one length.
    """
    if window.seconds <= seconds:
        return [window]
    whole, step = whole_minutes(window), timedelta(seconds=seconds)
    begins = [whole.starts_at + n * step for n in range(-(-int(whole.seconds) // seconds))]
    return [Window(begin, begin + step) for begin in begins]


def whole_minutes(window: Window) -> Window:
    """The window widened to whole minutes, which is how AWS counts its own metrics."""
    return Window(_floor(window.starts_at), _ceil(window.ends_at))


def _floor(at: datetime) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // MINUTE * MINUTE, UTC)


def _ceil(at: datetime) -> datetime:
    return datetime.fromtimestamp(-(-at.timestamp() // MINUTE) * MINUTE, UTC)
