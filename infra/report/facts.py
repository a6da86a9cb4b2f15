"""Works the report's figures out of what was gathered. Pure: no clock, no network, no words for the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from infra.cost.prices import Prices
from infra.report.certificate import certificate
from infra.report.expense import Unpriced, costs
from infra.report.figures import Asked, Costs, Facts, Peak, Slices, Sold, Waits
from infra.report.gathered import CodeCount, Gathered, Missing, SaleShown, Series, Window
from infra.report.queries import DOOR_CODES, PERCENTILES, refused
from infra.report.timeline import moments

QUIET_SHARE = 0.01
"""A slice with less than this share of the busiest one's attempts is not worth its room in a chart."""
WAITS = (
    ("accept", "from asking to the 202", "all events of that time"),
    ("refuse", "from asking to a refusal", "all events of that time"),
    ("edge", "any request, at the edge", "all requests of that time"),
    ("decide", "from the 202 to the final answer", "this event"),
)
ALL_SERIES = Mapping[str, Series]


def conclude(gathered: Gathered, prices: Prices) -> Facts:
    """The figures; what cannot be worked out is None and is named in `missing`."""
    event, series, span = gathered.event, gathered.series or {}, _span(gathered)
    priced, unpriced = _priced(series, prices)
    return Facts(
        event_id=event.id,
        event_name=event.name,
        status=event.status,
        capacity=gathered.sale.capacity if gathered.sale else event.total_tickets,
        stage=gathered.stage,
        made_at=gathered.made_at,
        window=gathered.window,
        window_given=gathered.window_given,
        span=span,
        resolution_seconds=gathered.period_seconds,
        sold=_sold(gathered.sale, span) if gathered.sale else None,
        asked=_asked(series, span, gathered.period_seconds) if gathered.series else None,
        waits=_waits(series),
        waits_over_time=_drawn_waits(series),
        moments=moments(gathered),
        certificate=certificate(gathered.conservation) if gathered.conservation else None,
        costs=priced,
        missing=(*gathered.missing, *unpriced),
    )


def _priced(series: ALL_SERIES, prices: Prices) -> tuple[Costs | None, tuple[Missing, ...]]:
    try:
        return costs(series, prices), ()
    except Unpriced as reason:
        return None, (Missing("the cost of an order", str(reason)),)


def _sold(sale: SaleShown, span: Window) -> Sold:
    return Sold(
        sold=sale.sold,
        reserved=sale.reserved,
        buyers=sale.buyers,
        first_accept_at=sale.accepted_at,
        sold_out_at=sale.sold_out_at,
        seconds_to_sell_out=sale.time_to_sell_out_seconds,
        rejected=sale.rejected,
        over_time=_curve(sale, span),
    )


def _asked(series: ALL_SERIES, span: Window, period: int) -> Asked:
    by_code = refused_by_code(series)
    return Asked(
        accepted=_total(series, "accepted"),
        refused=_total(series, "refused"),
        by_code=by_code,
        peak=peak(series, period),
        over_time=_attempts(series, by_code, span, period),
    )


def refused_by_code(series: ALL_SERIES) -> tuple[CodeCount, ...]:
    """Refusals at the door by problem code, most frequent first; a code that was not asked for is `other`."""
    counts = {code: _total(series, refused(code)) for code in DOOR_CODES}
    counts["other"] = _total(series, "refused") - sum(counts.values())
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return tuple(CodeCount(code, count) for code, count in ranked if count > 0)


def peak(series: ALL_SERIES, period: int) -> Peak | None:
    """The slice in which most people asked; None when nobody did."""
    counts = _attempt_counts(series)
    if not counts:
        return None
    at = max(counts, key=lambda moment: (counts[moment], -moment))
    return Peak(per_second=counts[at] / period, at=datetime.fromtimestamp(at, UTC), seconds=period)


def _attempt_counts(series: ALL_SERIES) -> dict[float, float]:
    counts: dict[float, float] = {}
    for name in ("accepted", "refused"):
        found = series.get(name, Series())
        for at, count in zip(found.times, found.values, strict=True):
            counts[at] = counts.get(at, 0.0) + count
    return {at: count for at, count in counts.items() if count > 0}


def _total(series: ALL_SERIES, name: str) -> int:
    return round(sum(series.get(name, Series()).values))


def _span(gathered: Gathered) -> Window:
    """The window without its quiet ends, a little wider than what happened; as given when it was given."""
    if gathered.window_given:
        return gathered.window
    busy = [*_busy(gathered), *_sold_moments(gathered.sale)]
    if not busy:
        return gathered.window
    room = timedelta(seconds=max((max(busy) - min(busy)) * 0.03, gathered.period_seconds))
    starts_at = max(datetime.fromtimestamp(min(busy), UTC) - room, gathered.window.starts_at)
    return Window(starts_at, min(datetime.fromtimestamp(max(busy), UTC) + room, gathered.window.ends_at))


def _busy(gathered: Gathered) -> list[float]:
    counts = _attempt_counts(gathered.series or {})
    least = max(counts.values(), default=0.0) * QUIET_SHARE
    starts = [at for at, count in counts.items() if count >= least]
    return [*starts, *(at + gathered.period_seconds for at in starts)]


def _sold_moments(sale: SaleShown | None) -> list[float]:
    if sale is None:
        return []
    first, seconds = sale.curve.starts_at.timestamp(), sale.curve.bucket_seconds
    edges = [first + n * seconds for n, sold in enumerate(sale.curve.sold) if sold]
    return [*edges, *(edge + seconds for edge in edges)]


def _curve(sale: SaleShown, span: Window) -> Slices | None:
    """The part of the ledger's curve that lies in the span."""
    curve, seconds = sale.curve, sale.curve.bucket_seconds
    first = curve.starts_at.timestamp()
    begin = max(int((span.starts_at.timestamp() - first) // seconds), 0)
    end = min(-int((first - span.ends_at.timestamp()) // seconds), len(curve.sold))
    if begin >= end:
        return None
    totals, total = [], curve.sold_before + sum(curve.sold[:begin])
    for sold in curve.sold[begin:end]:
        total += sold
        totals.append(float(total))
    counts = {"sold": tuple(float(sold) for sold in curve.sold[begin:end]), "total": tuple(totals)}
    return Slices(
        starts_at=curve.starts_at + timedelta(seconds=begin * seconds), seconds=seconds, counts=counts
    )


def _attempts(series: ALL_SERIES, codes: tuple[CodeCount, ...], span: Window, period: int) -> Slices:
    """What became of everybody who asked, slice by slice: let in, or refused with a code."""
    first = int(span.starts_at.timestamp() // period) * period
    times = range(first, int(span.ends_at.timestamp()) + 1, period)
    found = {"accepted": series.get("accepted", Series())}
    found |= {code.code: series[refused(code.code)] for code in codes if refused(code.code) in series}
    counts = {}
    for name, one in found.items():
        by_time = dict(zip(one.times, one.values, strict=True))
        counts[name] = tuple(by_time.get(at, 0.0) for at in times)
    return Slices(starts_at=datetime.fromtimestamp(first, UTC), seconds=period, counts=counts)


def _waits(series: ALL_SERIES) -> tuple[Waits, ...]:
    """Percentiles over the whole window, of what happened at all."""
    found = []
    for name, what, of in WAITS:
        values = [series.get(f"whole_{name}_{stat}", Series()).values for stat in PERCENTILES]
        if all(len(value) == 1 for value in values):
            p50, p95, p99 = (value[0] for value in values)
            found.append(Waits(what=what, of=of, p50=p50, p95=p95, p99=p99))
    return tuple(found)


def _drawn_waits(series: ALL_SERIES) -> dict[str, Series]:
    names = [f"{name}_{stat}" for name in ("accept", "decide") for stat in PERCENTILES]
    return {name: series[name] for name in names if name in series and series[name].times}
