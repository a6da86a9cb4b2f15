"""When what is raised for which event, and the scheduled actions that do it, the lowering ones first. Pure.

An action's name tells its whole window, so that the schedule itself is the only memory: whatever one of a
window's actions is left says what to lower and when. It must not know what is raised, or where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

PREFIX = "onsale-prewarm"
AGAIN = timedelta(minutes=15)
"""After the lowering action comes a second one: an action is tried once, and this is the one that costs."""
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(rf"{PREFIX}-(\d+)-(\d+)-(\d{{8}}T\d{{6}}Z)-(\d{{8}}T\d{{6}}Z)-(raise|lower|lower-again)")


class Window(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """`amount` of something for `event`, from `raise_at` until `lower_at` (both UTC, whole seconds)."""

    raise_at: datetime
    lower_at: datetime
    event: int
    amount: int


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """At `at`, exactly `amount`; nothing of its own happens before."""

    name: str
    at: datetime
    amount: int


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to a schedule, in this order: first what lowers, last what could lower no more."""

    put: tuple[Action, ...]
    delete: tuple[str, ...]


def around(event: int, opens_at: datetime, before: timedelta, after: timedelta, amount: int) -> Window:
    """The window of `event`, `before` and `after` the moment it goes on sale."""
    opens_at = opens_at.astimezone(UTC).replace(microsecond=0)
    return Window(event=event, raise_at=opens_at - before, lower_at=opens_at + after, amount=amount)


def from_now(event: int, amount: int, now: datetime, lower_at: datetime) -> Window:
    """The window that has begun: what is raised by hand is scheduled to be lowered like any other."""
    began = now.replace(microsecond=0) - timedelta(seconds=1)
    return Window(event=event, amount=amount, raise_at=began, lower_at=lower_at.replace(microsecond=0))


def level(windows: Iterable[Window], at: datetime) -> int:
    """How much there has to be at `at`: two crowds at once need what each needs."""
    return sum(window.amount for window in windows if window.raise_at <= at < window.lower_at)


def peak(windows: Iterable[Window]) -> int:
    """The most that there is at any moment."""
    known = tuple(windows)
    return max((level(known, window.raise_at) for window in known), default=0)


def actions(windows: Iterable[Window], now: datetime) -> tuple[Action, ...]:
    """Everything that is still to happen after `now`, lowering before raising."""
    known = tuple(windows)
    steps = [
        (window, word, at)
        for word in ("lower-again", "lower", "raise")
        for window in known
        if (at := _moments(window)[word]) > now
    ]
    return tuple(
        Action(name=_name(window, word), at=at, amount=level(known, at)) for window, word, at in steps
    )


def changes(there: Mapping[str, Action], windows: Iterable[Window], now: datetime) -> Changes:
    """What makes the schedule `there` (by name) that of `windows`; nothing, where it is so already."""
    wanted = actions(windows, now)
    names = {action.name for action in wanted}
    stale = [name for name in there if _NAME.fullmatch(name) and name not in names]
    return Changes(
        put=tuple(action for action in wanted if there.get(action.name) != action),
        delete=tuple(sorted(stale, key=lambda name: not name.endswith("-raise"))),
    )


def windows_of(names: Iterable[str], now: datetime) -> tuple[Window, ...]:
    """The windows that actions of these names belong to, without those that were lowered twice by `now`."""
    found = {_window(match) for name in names if (match := _NAME.fullmatch(name))}
    return tuple(sorted(window for window in found if window.lower_at + AGAIN > now))


def _moments(window: Window) -> dict[str, datetime]:
    return {"raise": window.raise_at, "lower": window.lower_at, "lower-again": window.lower_at + AGAIN}


def _name(window: Window, word: str) -> str:
    times = f"{window.raise_at:{_TIME}}-{window.lower_at:{_TIME}}"
    return f"{PREFIX}-{window.event}-{window.amount}-{times}-{word}"


def _window(match: re.Match[str]) -> Window:
    return Window(
        event=int(match[1]), amount=int(match[2]), raise_at=_read(match[3]), lower_at=_read(match[4])
    )


def _read(said: str) -> datetime:
    return datetime.strptime(said, _TIME).replace(tzinfo=UTC)
