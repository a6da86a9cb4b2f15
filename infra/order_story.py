"""Orders and the story of one as a reader at a terminal gets them. Pure: JSON of the API in, drawings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

UNKNOWN = "-"
_GOOD, _BAD, _LOOK, _PLAIN = ("●", "green"), ("✗", "red"), ("▲", "yellow"), ("○", "cyan")
_MARKS = {
    "accepted": _PLAIN,
    "queued": _PLAIN,
    "attempt-failed": _BAD,
    "dead-lettered": _BAD,
    "redriven": _LOOK,
    "deleted": _LOOK,
    "decided": _GOOD,
    "settled": _GOOD,
    "paid": _GOOD,
    "payment-refused": _BAD,
    "refund-due": _LOOK,
    "expired": _LOOK,
    "cancelled": _LOOK,
}
"""What happened -> its sign, which tells it apart without its colour, and the colour."""


def matches(items: Sequence[Mapping[str, Any]]) -> Table:
    """The orders that were found, one a line."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("order", "event", "buyer", "status", "accepted (UTC)", "found in", "matched"):
        drawn.add_column(name, no_wrap=name == "order", overflow="fold")
    for item in items:
        order = item["orderId"] or f"message {item['messageId']}"
        drawn.add_row(
            *(Text(_shown(value)) for value in (order, item["eventId"], item["userId"], item["status"])),
            Text(_moment(item["acceptedAt"])),
            Text(", ".join(item["places"])),
            Text(item["matched"]),
        )
    return drawn


def story(told: Mapping[str, Any]) -> RenderableType:
    """One order's timeline, downward: when, how long after it was accepted, what, and what is known of it."""
    drawn = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left", "left"):
        drawn.add_column(justify=justify, no_wrap=True)
    drawn.add_column(overflow="fold")
    entries = told["entries"]
    began = next((_read(entry["at"]) for entry in entries if entry["at"]), None)
    for place, entry in enumerate(entries):
        sign, colour = _mark(entry)
        thread = "│" if place + 1 < len(entries) else " "
        drawn.add_row(
            Text(_moment(entry["at"])),
            Text(_after(began, entry["at"]), "dim"),
            Text(sign, colour),
            Text(entry["what"], f"bold {colour}"),
            Text.assemble(_shown(entry["detail"]), (f"  [{entry['source']}]", "dim")),
        )
        drawn.add_row("", "", Text(thread, "dim"), "", "")
    buyer = _shown(told["userId"])
    title = f"order {told['orderId']} of event {told['eventId']}, buyer {buyer}: {told['status']}"
    return Group(Text(title, "bold"), Text(), drawn)


def _mark(entry: Mapping[str, Any]) -> tuple[str, str]:
    """A rejection is a decision, and no good one."""
    if entry["what"] == "decided" and entry["detail"].startswith("rejected"):
        return _BAD
    return _MARKS.get(entry["what"], _PLAIN)


def _shown(value: object) -> str:
    """What strangers wrote is shown without what would move a terminal's cursor."""
    text = UNKNOWN if value is None else str(value)
    return "".join(each if each.isprintable() else " " for each in text)


def _moment(text: str | None) -> str:
    return "time not kept" if text is None else f"{_read(text):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _after(began: datetime | None, text: str | None) -> str:
    """How long after the beginning, in the largest unit that says it."""
    if began is None or text is None:
        return ""
    seconds = (_read(text) - began).total_seconds()
    if seconds < 60:
        return f"+{seconds:.3f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"+{minutes} min {rest:02} s" if minutes < 60 else f"+{minutes // 60} h {minutes % 60:02} min"


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
