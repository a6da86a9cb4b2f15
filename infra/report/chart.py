"""Charts as inline SVG on one time axis: lines, stacked columns, an area, lanes of what happened.

It must not know a sale: it is given names, moments and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from infra.report.frame import LEFT, RIGHT, WIDTH, Frame, Label, axes, field_of, svg, time_axis
from infra.report.gathered import Series
from infra.report.markup import Markup, element, together
from infra.report.scale import Field

LANE = 26
FEW_POINTS = 40
"""So few are drawn as points, too: a line through three seconds would hide how little it knows."""


class Line(msgspec.Struct, frozen=True):
    """One line with its name at its right end; `kind` is its class."""

    name: str
    kind: str
    series: Series


class Layer(msgspec.Struct, frozen=True):
    """One layer of the columns, from the lowest up."""

    kind: str
    values: tuple[float, ...]


class Bar(msgspec.Struct, frozen=True):
    """One thing that happened, in a lane of its own: a bar, or a point where it has no end."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None


def area_chart(frame: Frame, values: Series, limit: float, label: Label, name: str) -> Markup:
    """One growing line over its area, against a limit (dashed, named `name`)."""
    field, step = field_of(frame.span, max([limit, *values.values]))
    points = [(field.x(at), field.y(value)) for at, value in zip(values.times, values.values, strict=True)]
    line = " ".join(f"{x},{y}" for x, y in points)
    edge = field.y(limit)
    return svg(
        frame,
        field,
        axes(field, step, label),
        element(
            "polygon",
            class_="area",
            points=f"{points[0][0]},{field.bottom} {line} {points[-1][0]},{field.bottom}",
        ),
        element("polyline", class_="line sold", points=line),
        element("line", class_="limit", x1=field.left, x2=field.right, y1=edge, y2=edge),
        element("text", name, class_="limit-name", x=field.right, y=edge - 5, text_anchor="end"),
    )


def columns(frame: Frame, starts_at: float, seconds: float, layers: Sequence[Layer], label: Label) -> Markup:
    """Stacked columns, one for each `seconds` from `starts_at` (seconds since 1970)."""
    sums = [sum(stack) for stack in zip(*(layer.values for layer in layers), strict=True)]
    field, step = field_of(frame.span, max(sums, default=0.0))
    width = max(field.width * seconds / max(frame.span.seconds, seconds), 1.0)
    gap = 1.0 if width > 4 else 0.0
    below = [0.0] * len(sums)
    drawn: list[Markup] = []
    for layer in layers:
        for n, value in enumerate(layer.values):
            at = starts_at + n * seconds
            if (
                value
                and at + seconds > frame.span.starts_at.timestamp()
                and at < frame.span.ends_at.timestamp()
            ):
                drawn.append(
                    _column(field, layer.kind, (at, at + seconds), (below[n], below[n] + value), gap)
                )
            below[n] += value
    return svg(frame, field, axes(field, step, label), drawn)


def lines(frame: Frame, drawn: Sequence[Line], seconds: float, label: Label) -> Markup:
    """Lines that break where nothing was measured for longer than `seconds`."""
    most = max((value for line in drawn for value in line.series.values), default=0.0)
    field, step = field_of(frame.span, most)
    ends = _apart([_end(field, line) for line in drawn], 12.0, field.bottom)
    names = [
        element("text", line.name, class_=f"end {line.kind}", x=_last_x(field, line, seconds) + 7, y=end + 4)
        for line, end in zip(drawn, ends, strict=True)
    ]
    return svg(frame, field, axes(field, step, label), [_line(field, line, seconds) for line in drawn], names)


def lanes(frame: Frame, bars: Sequence[Bar]) -> Markup:
    """A numbered lane for each bar."""
    field = Field(LEFT, 8, WIDTH - LEFT - RIGHT, LANE * len(bars), frame.span, 1.0)
    drawn = [_lane(field, n, bar) for n, bar in enumerate(bars)]
    return svg(frame, field, time_axis(field), drawn)


def _column(
    field: Field, kind: str, times: tuple[float, float], values: tuple[float, float], gap: float
) -> Markup:
    left, right = field.x(times[0]), field.x(times[1])
    top, bottom = field.y(values[1]), field.y(values[0])
    return element(
        "rect",
        class_=f"column {kind}",
        x=round(left + gap / 2, 1),
        y=top,
        width=round(max(right - left - gap, 0.5), 1),
        height=round(max(bottom - top, 0.4), 1),
    )


def _line(field: Field, line: Line, seconds: float) -> Markup:
    paths, previous = [], None
    for at, value in zip(line.series.times, line.series.values, strict=True):
        joined = previous is not None and at - previous <= 1.5 * seconds
        paths.append(f"{'L' if joined else 'M'}{field.x(at + seconds / 2)},{field.y(value)}")
        previous = at
    dots = line.series.times if len(line.series.times) <= FEW_POINTS else ()
    return together(
        element("path", class_=f"line {line.kind}", d=" ".join(paths)),
        [
            element(
                "circle", class_=f"dot {line.kind}", cx=field.x(at + seconds / 2), cy=field.y(value), r=2.5
            )
            for at, value in zip(dots, line.series.values, strict=False)
        ],
    )


def _last_x(field: Field, line: Line, seconds: float) -> float:
    return field.x(line.series.times[-1] + seconds / 2) if line.series.times else field.right


def _end(field: Field, line: Line) -> float:
    return field.y(line.series.values[-1]) if line.series.values else field.bottom


def _apart(places: Sequence[float], least: float, bottom: float) -> list[float]:
    """The same places, moved up until each is `least` from the next and none is below `bottom`."""
    order = sorted(range(len(places)), key=lambda n: (-places[n], n))
    moved = list(places)
    limit = bottom
    for n in order:
        moved[n] = min(moved[n], limit)
        limit = moved[n] - least
    return moved


def _lane(field: Field, n: int, bar: Bar) -> Markup:
    middle = field.top + LANE * n + LANE / 2
    starts = field.x(bar.starts_at.timestamp())
    ends = field.x(bar.ends_at.timestamp()) if bar.ends_at else starts
    number = element("text", str(n + 1), x=field.left - 8, y=middle + 4, text_anchor="end")
    track = element("line", class_="grid", x1=field.left, x2=field.right, y1=middle, y2=middle)
    if ends - starts < 6:
        return together(number, track, element("circle", class_=f"bar {bar.kind}", cx=starts, cy=middle, r=5))
    shape = element(
        "rect",
        class_=f"bar {bar.kind}",
        x=starts,
        y=middle - 5,
        width=round(ends - starts, 1),
        height=10,
        rx=5,
    )
    return together(number, track, shape)
