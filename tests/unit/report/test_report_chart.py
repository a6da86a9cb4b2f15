"""Charts as SVG: round ticks, nothing outside its field, and every picture named for who cannot see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from infra.report import chart
from infra.report.frame import Band, Frame
from infra.report.gathered import Series, Window
from infra.report.markup import Markup
from infra.report.scale import Field, round_up, time_ticks, value_ticks

OPENS = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
AT = OPENS.timestamp()
SPAN = Window(OPENS, OPENS + timedelta(seconds=60))


def frame(*bands: Band) -> Frame:
    return Frame(name="x", title="A <title>", description="What & why", span=SPAN, bands=bands)


def shapes(picture: Markup, tag: str) -> list[dict[str, str]]:
    return [dict(node.attrib) for node in ET.fromstring(picture).iter(tag)]


def label(value: float) -> str:
    return f"{value:g}"


@pytest.mark.parametrize(
    ("value", "most"), [(0, 1), (0.3, 0.3), (7, 8), (940, 1_000), (2_000, 2_000), (12_383, 15_000)]
)
def test_the_axis_ends_at_a_round_number_that_holds_the_value(value: float, most: float) -> None:
    top, step = round_up(value)
    assert top == pytest.approx(most)
    assert value_ticks(top, step)[-1] == pytest.approx(top)


@pytest.mark.parametrize("seconds", [0.5, 1, 3, 48, 600, 7_200, 86_400])
def test_time_ticks_are_few_and_inside(seconds: float) -> None:
    span = Window(OPENS, OPENS + timedelta(seconds=seconds))
    ticks = time_ticks(span)
    assert 2 <= len(ticks) <= 8
    assert all(AT <= tick <= AT + seconds for tick in ticks)


def test_what_lies_outside_is_drawn_at_the_edge() -> None:
    field = Field(10, 0, 100, 50, SPAN, 8.0)
    assert (field.x(AT - 5), field.x(AT + 30), field.x(AT + 500)) == (10, 60, 110)
    assert (field.y(-1), field.y(4), field.y(9)) == (50, 25, 0)


def test_columns_stand_on_each_other_and_none_for_nothing() -> None:
    drawn = chart.columns(frame(), AT, 20, [chart.Layer("a", (4, 0, 4)), chart.Layer("b", (4, 8, 0))], label)
    found = [(rect["class"], float(rect["y"]), float(rect["height"])) for rect in shapes(drawn, "rect")]
    low, high = [one for one in found if one[0] == "column a"], [one for one in found if one[0] == "column b"]
    assert (len(low), len(high)) == (2, 2)
    assert high[0][1] + high[0][2] == pytest.approx(low[0][1])


def test_a_line_breaks_where_nothing_was_measured() -> None:
    series = Series((AT, AT + 1, AT + 9, AT + 10), (1, 2, 3, 4))
    (path,) = shapes(chart.lines(frame(), [chart.Line("p50", "p50", series)], 1, label), "path")
    assert path["d"].count("M") == 2
    assert path["d"].count("L") == 2


def test_names_of_lines_that_end_together_do_not_lie_upon_each_other() -> None:
    drawn = [
        chart.Line(name, name, Series((AT,), (value,))) for name, value in (("a", 1.0), ("b", 1.01), ("c", 9))
    ]
    texts = shapes(chart.lines(frame(), drawn, 1, label), "text")
    ends = sorted(float(text["y"]) for text in texts if text.get("class", "").startswith("end"))
    assert min(after - before for before, after in pairwise(ends)) >= 12


def test_every_picture_has_a_title_and_a_description_that_it_points_to() -> None:
    for picture in (
        chart.area_chart(frame(), Series((AT, AT + 9), (0, 5)), 5, label, "capacity"),
        chart.columns(frame(), AT, 1, [chart.Layer("a", (1.0,))], label),
        chart.lines(frame(), [chart.Line("p50", "p50", Series((AT,), (1.0,)))], 1, label),
        chart.lanes(frame(), [chart.Bar("alarm", OPENS, None)]),
    ):
        root = ET.fromstring(picture)
        title, description = root[0], root[1]
        assert (title.text, description.text) == ("A <title>", "What & why")
        assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
        assert root.attrib["role"] == "img"


def test_a_band_is_shaded_over_its_time_and_a_short_one_can_still_be_seen() -> None:
    long = Band("alarm", OPENS + timedelta(seconds=30), OPENS + timedelta(seconds=60))
    short = Band("fault", OPENS, OPENS)
    found = {
        rect["class"]: float(rect["width"]) for rect in shapes(chart.lanes(frame(long, short), []), "rect")
    }
    assert found == {"band alarm": 312.0, "band fault": 2.0}
