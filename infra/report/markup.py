"""HTML and SVG as values: whatever is not markup already is escaped, so that a name can never become a tag.

Knows no page and no chart.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = {"meta", "br", "hr"}


class Markup(str):
    """Text that is markup already. Made by `element` and `together`, and for texts of our own alone."""

    __slots__ = ()


Child = str | Iterable[str] | None


def element(tag: str, /, *children: Child, **attributes: object) -> Markup:
    """`<tag attributes>children</tag>`. Children are texts, markup or iterables of them; None is nothing.

    An attribute's name has its underscores turned into dashes, a last one dropped (`class_`, `stroke_width`);
    one that is None or False is left out, one that is True has no value.
    """
    pairs = (_attribute(name, value) for name, value in attributes.items())
    head = "".join([tag, *pairs])
    if tag in VOID:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{together(*children)}</{tag}>")


def together(*children: Child) -> Markup:
    """Children one after the other, each escaped unless it is markup."""
    return Markup("".join(_text(child) for child in children))


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    return "".join(_text(one) for one in child)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    named = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {named}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {named}="{escape(text)}"'
