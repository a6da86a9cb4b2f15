"""What the report's pictures share: their time axis, the shading of what went wrong, their legends. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from infra.report.figures import Facts, Moment, Slices
from infra.report.frame import Band, Frame
from infra.report.markup import Markup, element

SHADED = {"alarm": "an alarm was on", "fault": "something was wrong"}
"""Kinds of moments that are shaded in every picture, and what the legend says of them."""


def frame_of(facts: Facts, name: str, title: str, description: str) -> Frame:
    """A picture's frame; its description says that stretches are shaded where they are."""
    bands = tuple(band for kind in SHADED for band in _bands(facts, kind))
    shaded = " Stretches in which something was wrong are shaded." if bands else ""
    return Frame(name=name, title=title, description=description + shaded, span=facts.span, bands=bands)


def _bands(facts: Facts, kind: str) -> list[Band]:
    """Stretches of one kind; those that overlap are one, so that two alarms are not twice as red."""
    found: list[Band] = []
    for moment in facts.moments:
        if moment.kind != kind or moment.roughly or not is_inside(facts, moment):
            continue
        last, ends_at = found[-1] if found else None, end_of(facts, moment) or moment.at
        if last and moment.at <= last.ends_at:
            found[-1] = Band(kind, last.starts_at, max(last.ends_at, ends_at))
        else:
            found.append(Band(kind, moment.at, ends_at))
    return found


def figure(picture: Markup, *below: Markup | None, heading: str | None = None) -> Markup:
    """A picture with its heading above, its legend and its table below."""
    above = element("h3", heading) if heading else None
    return element("figure", above, picture, [part for part in below if part is not None])


def legend(facts: Facts, keys: Sequence[tuple[str, str]] = ()) -> Markup | None:
    """The keys (class and words), and what is shaded."""
    shaded = [(f"band {kind}", words) for kind, words in SHADED.items() if _bands(facts, kind)]
    return key([*keys, *shaded])


def key(keys: Sequence[tuple[str, str]]) -> Markup | None:
    """A list of colours and what they stand for; None without any."""
    if not keys:
        return None
    items = [
        element("li", element("span", class_=f"key {kind}", aria_hidden="true"), words)
        for kind, words in keys
    ]
    return element("ul", items, class_="legend")


def is_inside(facts: Facts, moment: Moment) -> bool:
    """Whether any of it lies in the part of the sale that is drawn."""
    end = end_of(facts, moment) or moment.at
    return moment.at <= facts.span.ends_at and end >= facts.span.starts_at


def end_of(facts: Facts, moment: Moment) -> datetime | None:
    """When it ended; an alarm that is still on: with the picture. None for what takes no time."""
    if moment.until is None and moment.kind == "alarm":
        return max(facts.span.ends_at, moment.at)
    return moment.until


def times(slices: Slices) -> list[float]:
    """Where each slice begins, in seconds since 1970."""
    first = slices.starts_at.timestamp()
    return [first + n * slices.seconds for n in range(len(next(iter(slices.counts.values()))))]


def moment_at(seconds: float) -> datetime:
    """Seconds since 1970 as a moment."""
    return datetime.fromtimestamp(seconds, UTC)
