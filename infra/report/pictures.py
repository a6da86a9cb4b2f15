"""The charts of the sale: figures in, pictures with legends and tables out. Pure; computes no figure."""

from __future__ import annotations

from infra.report import chart
from infra.report.figures import Facts, Slices
from infra.report.framing import figure, frame_of, legend, moment_at, times
from infra.report.gathered import Series
from infra.report.markup import Markup
from infra.report.table import Row, folded, table
from infra.report.words import clock, code_in_words, duration, milliseconds, number

COLOURED = ("sold-out", "sale-paused", "rate-limited")
"""Refusals with a colour of their own, the same in every report; the rest is one layer."""
CURVE_OF = "By the ledger, with those held for their payment; tickets that came back are not in it"
WAITS = {"accept": "From asking to the 202", "decide": "From the 202 to the final answer"}


def curve(facts: Facts) -> Markup | None:
    """Tickets sold, adding up to the capacity; None when it is not known or nothing was sold."""
    slices = facts.sold.over_time if facts.sold else None
    if slices is None:
        return None
    begins, totals = times(slices), slices.counts["total"]
    before = totals[0] - slices.counts["sold"][0]
    ends = tuple(begin + slices.seconds for begin in begins)
    capacity = number(facts.capacity)
    told = f"A line that grows from {number(before)} to {number(totals[-1])} of {capacity} tickets."
    frame = frame_of(facts, "curve-chart", "Tickets sold over time", told)
    line = Series((begins[0], *ends), (before, *totals))
    rows = _curve_rows(slices, ends)
    return figure(
        chart.area_chart(frame, line, facts.capacity, number, f"capacity {capacity}"),
        legend(facts),
        folded("Tickets sold, as a table", table(CURVE_OF, ("until, UTC", "sold", "in all"), rows)),
    )


def _curve_rows(slices: Slices, ends: tuple[float, ...]) -> list[Row]:
    fine = slices.seconds < 1
    counted = zip(ends, slices.counts["sold"], slices.counts["total"], strict=True)
    return [
        (clock(moment_at(end), fine=fine), number(sold), number(total))
        for end, sold, total in counted
        if sold
    ]


def attempts(facts: Facts) -> Markup | None:
    """Everybody who asked, by what they were told; None when it is not known or nobody asked."""
    slices = facts.asked.over_time if facts.asked else None
    if slices is None or not any(map(sum, slices.counts.values())):
        return None
    layers = _layers(slices)
    each = duration(slices.seconds)
    names = [name for _, name, _ in layers]
    told = f"Columns of {each}, the layers from below: {', '.join(names)}."
    frame = frame_of(facts, "attempts-chart", "Orders asked for a second, by answer", told)
    drawn = [chart.Layer(kind, _a_second(values, slices.seconds)) for kind, _, values in layers]
    listed = table(f"Orders asked for in each {each}", ("from, UTC", *names), _attempt_rows(slices, layers))
    return figure(
        chart.columns(frame, slices.starts_at.timestamp(), slices.seconds, drawn, number),
        legend(facts, [(kind, name) for kind, name, _ in layers]),
        folded("Attempts, as a table", listed),
        heading="Orders asked for a second",
    )


Layers = list[tuple[str, str, tuple[float, ...]]]
"""Class, name and counts of each."""


def _layers(slices: Slices) -> Layers:
    """Let in lowest, then the refusals that have a colour, then the rest together."""
    counts = slices.counts
    found = [("accepted", "let in", counts["accepted"])]
    found += [(code, code_in_words(code), counts[code]) for code in COLOURED if any(counts.get(code, ()))]
    rest = [values for code, values in counts.items() if code not in {"accepted", *COLOURED} and any(values)]
    if rest:
        found.append(("other", code_in_words("other"), tuple(map(sum, zip(*rest, strict=True)))))
    return found


def _attempt_rows(slices: Slices, layers: Layers) -> list[Row]:
    stacks = zip(times(slices), zip(*(values for _, _, values in layers), strict=True), strict=True)
    return [(clock(moment_at(at)), *map(number, stack)) for at, stack in stacks if any(stack)]


def _a_second(values: tuple[float, ...], seconds: float) -> tuple[float, ...]:
    return tuple(value / seconds for value in values)


def waits(facts: Facts) -> list[Markup]:
    """How long buyers waited, a chart for each kind of wait that was measured."""
    measured = [name for name in WAITS if f"{name}_p50" in facts.waits_over_time]
    return [_wait(facts, name, WAITS[name]) for name in measured]


def _wait(facts: Facts, name: str, title: str) -> Markup:
    found = {stat: facts.waits_over_time.get(f"{name}_{stat}", Series()) for stat in ("p50", "p95", "p99")}
    told = "Three lines, p50, p95 and p99: half, 95 % and 99 % of the orders waited no longer."
    frame = frame_of(facts, f"wait-{name}-chart", title, told)
    drawn = [chart.Line(stat, stat, series) for stat, series in found.items()]
    listed = table(title, ("from, UTC", *found), _wait_rows(found))
    return figure(
        chart.lines(frame, drawn, facts.resolution_seconds, milliseconds),
        legend(facts),
        folded(f"{title}, as a table", listed),
        heading=title,
    )


def _wait_rows(found: dict[str, Series]) -> list[Row]:
    columns = [dict(zip(series.times, series.values, strict=True)) for series in found.values()]
    return [
        (clock(moment_at(at)), *(milliseconds(column[at]) if at in column else "" for column in columns))
        for at in found["p50"].times
    ]
