"""Tables of the page, plain or folded away below the chart that they belong to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from infra.report.markup import Child, Markup, element

Row = Sequence[Child]


def table(caption: str, head: Sequence[str], rows: Sequence[Row], *, numbers_from: int = 1) -> Markup:
    """A table with its caption; columns from `numbers_from` on are figures, a row begins with its name."""
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", [_head(name, n >= numbers_from) for n, name in enumerate(head)])),
        element("tbody", [_row(row, numbers_from) for row in rows]),
    )


def folded(summary: str, inner: Markup) -> Markup:
    """Details that are closed until somebody opens them; they scroll when they are long, by keyboard, too."""
    scrolling = element("div", inner, class_="scrolls", tabindex=0, role="region", aria_label=summary)
    return element("details", element("summary", summary), scrolling)


def _head(name: str, is_number: bool) -> Markup:
    return element("th", name, scope="col", class_="number" if is_number else None)


def _row(row: Row, numbers_from: int) -> Markup:
    cells = [
        element("td", cell, class_="number" if n + 1 >= numbers_from else None)
        for n, cell in enumerate(row[1:])
    ]
    return element("tr", element("th", row[0], scope="row"), cells)
