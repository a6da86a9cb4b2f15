"""A line of the log as somebody reads it, and what they may say for a time or a function. Pure.

It must not know where lines come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rich.text import Text

from infra.logs.lines import Line

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_COLOURS = {"error": "bold red", "critical": "bold red", "warning": "yellow", "debug": "dim"}


def moment(said: str, now: datetime) -> datetime:
    """`10m`, `90s`, `2h`, `1d` before `now`, or a time by RFC 3339 with its zone. Raises ValueError."""
    if found := re.fullmatch(r"(\d{1,6})([smhd])", said):
        return now - timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError("a time needs its zone, as in 2026-11-27T20:00:00Z")
    return at.astimezone(UTC)


def chosen(said: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """The functions that `said` means: `all`, a short name of `known`, or the function's own.

    Raises KeyError for anything else.
    """
    if said == "all":
        return tuple(known.values())
    if said in known.values():
        return (said,)
    return (known[said],)


def shown(line: Line, names: Mapping[str, str], width: int) -> Text:
    """One line for the terminal; `names` are short names by function, `width` the longest of them."""
    colour = _COLOURS.get(line.level, "")
    text = Text(no_wrap=False, overflow="fold")
    text.append(f"{line.at:%H:%M:%S}.{line.at.microsecond // 1_000:03d}  ", "dim")
    text.append(f"{names.get(line.function, line.function):<{width}}  ", "cyan")
    text.append(f"{line.level:<7}  ", colour)
    text.append(line.message, colour or "bold")
    for name, value in line.facts.items():
        text.append(f"  {name}=", "dim").append(value if isinstance(value, str) else json.dumps(value))
    return text


def as_json(line: Line) -> str:
    """The line as one JSON object: what it says, and the function that said it."""
    return json.dumps(
        {
            "time": line.at.isoformat().replace("+00:00", "Z"),
            "function": line.function,
            "level": line.level,
            "event": line.message,
            **{
                name: value
                for name, value in line.facts.items()
                if name not in {"time", "function", "level", "event"}
            },
        }
    )
