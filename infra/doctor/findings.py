"""What was looked at, and what to do about it. It must not know how anything is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from rich.text import Text


class State(StrEnum):
    """How a thing stands: as it should be, in the way of a deployment, or to be known before one."""

    GOOD = "✓"
    BAD = "✗"
    NOTE = "–"  # noqa: RUF001 - beside the other two, a dash


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing. `said` is one sentence; where the thing is not good, it says what to do."""

    what: str
    state: State
    said: str


_COLOURS = {State.GOOD: "green", State.BAD: "bold red", State.NOTE: "yellow"}


def good(what: str, said: str) -> Finding:
    """As it should be."""
    return Finding(what=what, state=State.GOOD, said=said)


def bad(what: str, said: str) -> Finding:
    """In the way of a deployment."""
    return Finding(what=what, state=State.BAD, said=said)


def note(what: str, said: str) -> Finding:
    """Not in the way, or not looked at."""
    return Finding(what=what, state=State.NOTE, said=said)


def judged(what: str, fault: str | None, fine: str) -> Finding:
    """Bad with the sentence `fault`, or good with `fine` where there is none."""
    return good(what, fine) if fault is None else bad(what, fault)


def stands_in_the_way(found: Iterable[Finding]) -> bool:
    """Whether a deployment would fail."""
    return any(finding.state is State.BAD for finding in found)


def line(finding: Finding) -> Text:
    """One finding as a line of the terminal."""
    text = Text(overflow="fold")
    text.append(f"{finding.state}  ", _COLOURS[finding.state])
    return text.append(f"{finding.what:<22}  ", "bold").append(finding.said)
