"""The section on what went wrong and what was done about it: numbered lanes, and the table to them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from infra.report import chart
from infra.report.figures import Facts, Moment
from infra.report.frame import Frame
from infra.report.framing import SHADED, end_of, figure, is_inside, key
from infra.report.markup import Markup, element, together
from infra.report.table import table
from infra.report.words import clock

KINDS = {**SHADED, "action": "an operator did something"}
SOURCES = ("the alarms", "the operators' log", "the metrics", "AWS's metrics")
"""Without any of these nobody can say that nothing happened."""


def happened(facts: Facts) -> Markup:
    """Alarms, faults and operators' actions; or that there were none; or that nobody knows."""
    told = [moment for moment in facts.moments if moment.kind in KINDS]
    unknown = [missing.source for missing in facts.missing if missing.source in SOURCES]
    note = element("p", f"Not known: {', '.join(unknown)}.", class_="unknown") if unknown else None
    if told:
        return together(_lanes(facts, told), note)
    return note or element("p", "No alarm, no fault, and no operator had to do anything.")


def _lanes(facts: Facts, told: Sequence[Moment]) -> Markup:
    inside = [moment for moment in told if is_inside(facts, moment)]
    outside = [moment for moment in told if not is_inside(facts, moment)]
    numbered = [(str(n), moment) for n, moment in enumerate(inside, 1)] + [("", moment) for moment in outside]
    rows = [(no, clock(moment.at), _until(moment), moment.what, moment.detail) for no, moment in numbered]
    listed = table("In order of time", ("no.", "at, UTC", "until", "what", "detail"), rows, numbers_from=9)
    return together(_picture(facts, inside) if inside else None, listed)


def _picture(facts: Facts, inside: Sequence[Moment]) -> Markup:
    said = f"{len(inside)} lanes, one for each numbered row of the table."
    frame = Frame(name="happened-chart", title="What happened, over time", description=said, span=facts.span)
    bars = [chart.Bar(moment.kind, moment.at, end_of(facts, moment)) for moment in inside]
    kinds = {moment.kind for moment in inside}
    return figure(
        chart.lanes(frame, bars), key([(kind, words) for kind, words in KINDS.items() if kind in kinds])
    )


def _until(moment: Moment) -> str:
    if moment.until:
        return clock(moment.until)
    return "still on" if moment.kind == "alarm" else ""
