"""From figures to places on a chart: round ticks, where a moment or a value lies. Pure; draws nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec

from infra.report.gathered import Window

TIME_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)
"""Seconds between ticks that people count in."""


class Field(msgspec.Struct, frozen=True):
    """The rectangle of a chart in which data is drawn, in the SVG's own units, and what it stands for."""

    left: float
    top: float
    width: float
    height: float
    span: Window
    most: float
    """The value at the upper edge; the lower edge is 0."""

    def x(self, at: float) -> float:
        """Where a moment (seconds since 1970) lies, within the field."""
        share = (at - self.span.starts_at.timestamp()) / max(self.span.seconds, 1e-9)
        return round(self.left + self.width * min(max(share, 0.0), 1.0), 1)

    def y(self, value: float) -> float:
        """Where a value lies, within the field."""
        return round(self.top + self.height * (1 - min(max(value / self.most, 0.0), 1.0)), 1)

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


def round_up(value: float, ticks: int = 4) -> tuple[float, float]:
    """The least round number that is at least `value`, and the round step between about `ticks` ticks."""
    if value <= 0:
        return 1.0, 1.0
    raw = value / ticks
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(unit * magnitude for unit in (1, 2, 2.5, 5, 10) if unit * magnitude >= raw * 0.999)
    return math.ceil(value / step - 1e-9) * step, step


def value_ticks(most: float, step: float) -> list[float]:
    """From 0 to `most`."""
    return [n * step for n in range(round(most / step) + 1)]


def time_ticks(span: Window, about: int = 7) -> list[float]:
    """Round moments within the span, in seconds since 1970, about as many as asked for."""
    step = next((step for step in TIME_STEPS if span.seconds / step <= about), TIME_STEPS[-1])
    starts, ends = span.starts_at.timestamp(), span.ends_at.timestamp()
    first = math.ceil(starts / step - 1e-9)
    return [round(n * step, 3) for n in range(first, math.floor(ends / step + 1e-9) + 1)]


def time_label(at: float, span: Window) -> str:
    """A tick's time in UTC: with seconds where they matter, with tenths where a step is less than one."""
    moment = datetime.fromtimestamp(at, UTC)
    if span.seconds <= 2:
        return f"{moment:%H:%M:%S}.{round(moment.microsecond / 1e5)}"
    return f"{moment:%H:%M:%S}" if span.seconds <= 1_200 else f"{moment:%H:%M}"
