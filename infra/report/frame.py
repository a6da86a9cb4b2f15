"""What every chart of the report has: one time axis, a value axis, shaded bands, a title and a description.

Colours are classes that the page's style gives meaning in light, dark and print. It must not know a sale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from infra.report.gathered import Window
from infra.report.markup import Markup, element, together
from infra.report.scale import Field, round_up, time_label, time_ticks, value_ticks

WIDTH = 720
HEIGHT = 220
LEFT, RIGHT, TOP, BOTTOM = 52, 44, 14, 26

Label = Callable[[float], str]


class Band(msgspec.Struct, frozen=True):
    """A stretch of time that is shaded; `kind` is its class."""

    kind: str
    starts_at: datetime
    ends_at: datetime


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every chart has: a name unique on the page, a title, a description, a time axis, shaded bands."""

    name: str
    title: str
    description: str
    span: Window
    bands: tuple[Band, ...] = ()


def svg(frame: Frame, field: Field, *drawn: Iterable[str]) -> Markup:
    """The whole picture: title and description first, then the bands, then what is drawn over them."""
    height = field.bottom + BOTTOM
    title, description = f"{frame.name}-title", f"{frame.name}-desc"
    return element(
        "svg",
        element("title", frame.title, id=title),
        element("desc", frame.description, id=description),
        [_band(field, band) for band in frame.bands],
        *drawn,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_labelledby=f"{title} {description}",
    )


def field_of(span: Window, most: float) -> tuple[Field, float]:
    """The field for values up to `most`, and the step between its value ticks."""
    top, step = round_up(most)
    return Field(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, span, top), step


def axes(field: Field, step: float, label: Label) -> Markup:
    """Grid lines with their values, and the time axis."""
    ticks = [
        together(
            element(
                "line", class_="grid", x1=field.left, x2=field.right, y1=field.y(value), y2=field.y(value)
            ),
            element("text", label(value), x=field.left - 8, y=field.y(value) + 4, text_anchor="end"),
        )
        for value in value_ticks(field.most, step)
    ]
    return together(ticks, time_axis(field))


def time_axis(field: Field) -> Markup:
    """The lower edge with round times in UTC."""
    base = element("line", class_="base", x1=field.left, x2=field.right, y1=field.bottom, y2=field.bottom)
    ticks = [
        together(
            element(
                "line", class_="base", x1=field.x(at), x2=field.x(at), y1=field.bottom, y2=field.bottom + 4
            ),
            element(
                "text", time_label(at, field.span), x=field.x(at), y=field.bottom + 18, text_anchor="middle"
            ),
        )
        for at in time_ticks(field.span)
    ]
    return together(base, ticks)


def _band(field: Field, band: Band) -> Markup:
    left, right = field.x(band.starts_at.timestamp()), field.x(band.ends_at.timestamp())
    return element(
        "rect",
        class_=f"band {band.kind}",
        x=left,
        y=field.top,
        width=round(max(right - left, 2.0), 1),
        height=field.height,
    )
