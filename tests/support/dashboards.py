"""The form of a CloudWatch dashboard's body, strictly: a key that is not declared here is refused.

From "Dashboard body structure and syntax" in the Amazon CloudWatch API reference; only what we use of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

COLUMNS = 24
Colour = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$")]
Column = Annotated[int, Meta(ge=0, le=COLUMNS - 1)]


class _Strict(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Nothing that is not declared."""


class Rendering(_Strict, frozen=True):
    """How one metric is drawn."""

    stat: Annotated[str, Meta(pattern=r"^(Sum|Average|Minimum|Maximum|SampleCount|p\d+(\.\d+)?)$")]
    label: str | UnsetType = UNSET
    color: Colour | UnsetType = UNSET
    y_axis: Literal["left", "right"] | UnsetType = UNSET


class Axis(_Strict, frozen=True):
    """One side of a graph."""

    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET
    label: str | UnsetType = UNSET
    show_units: bool | UnsetType = UNSET


class Axes(_Strict, frozen=True):
    """Both sides."""

    left: Axis | UnsetType = UNSET
    right: Axis | UnsetType = UNSET


class Line(_Strict, frozen=True):
    """A horizontal annotation."""

    value: float
    label: str
    color: Colour | UnsetType = UNSET
    fill: Literal["above", "below"] | UnsetType = UNSET
    y_axis: Literal["left", "right"] | UnsetType = UNSET


class Annotations(_Strict, frozen=True):
    """Lines across a graph."""

    horizontal: list[Line]


class MetricProperties(_Strict, frozen=True):
    """A graph, a number or a gauge."""

    title: str
    region: Literal["${AWS::Region}"]
    view: Literal["timeSeries", "singleValue", "gauge"]
    period: Literal[1, 5, 10, 30, 60, 300]
    metrics: Annotated[list[list[Any]], Meta(min_length=1, max_length=500)]
    stacked: bool | UnsetType = UNSET
    y_axis: Axes | UnsetType = UNSET
    annotations: Annotations | UnsetType = UNSET
    set_period_to_time_range: bool | UnsetType = UNSET
    sparkline: bool | UnsetType = UNSET


class AlarmProperties(_Strict, frozen=True):
    """How alarms stand."""

    title: str
    alarms: Annotated[list[str], Meta(min_length=1, max_length=100)]


class TextProperties(_Strict, frozen=True):
    """Words."""

    markdown: str


class _Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    x: Column
    y: Annotated[int, Meta(ge=0)]
    width: Annotated[int, Meta(ge=1, le=COLUMNS)]
    height: Annotated[int, Meta(ge=1, le=1_000)]


class MetricWidget(_Placed, frozen=True, tag="metric"):
    """Draws metrics."""

    properties: MetricProperties


class AlarmWidget(_Placed, frozen=True, tag="alarm"):
    """Shows alarms."""

    properties: AlarmProperties


class TextWidget(_Placed, frozen=True, tag="text"):
    """Says something."""

    properties: TextProperties


class Dashboard(_Strict, frozen=True):
    """The whole body."""

    start: str
    period_override: Literal["auto", "inherit"]
    widgets: Annotated[list[MetricWidget | AlarmWidget | TextWidget], Meta(max_length=500)]


class Drawn(msgspec.Struct, frozen=True):
    """One metric of one widget."""

    title: str
    period: int
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    rendering: Rendering


def drawn(dashboard: Dashboard) -> Iterator[Drawn]:
    """Every metric that the dashboard draws. Raises ValidationError for one that is not written in full."""
    for widget in dashboard.widgets:
        if isinstance(widget, MetricWidget):
            shown = widget.properties
            for namespace, name, *rest in shown.metrics:
                names = msgspec.convert(rest[:-1], list[str])
                pairs = tuple(sorted(zip(names[::2], names[1::2], strict=True)))
                rendering = msgspec.convert(rest[-1], Rendering)
                yield Drawn(shown.title, shown.period, namespace, name, pairs, rendering)
