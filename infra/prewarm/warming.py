"""Raises and lowers one thing, at once or on schedule, so that whatever fails, what lowers is in place.

It must not know where the figures are from, nor who reads what was done. Botocore's errors pass.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from infra.prewarm.agendas import Agenda, apply
from infra.prewarm.provisioned import State
from infra.prewarm.windows import Window, changes, level, peak, windows_of


class Warmed(Protocol):
    """What can be raised: an alias (`provisioned.py`), a store (`store_limits.py`)."""

    def state(self) -> State:
        """Now."""

    def ask(self, amount: int) -> None:
        """Asks for that much, 0 for nothing at all."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is raised, and its schedule; an emulator has none, and there nothing happens by itself."""

    alias: Warmed
    scaling: Agenda | None


def standing(target: Target, now: datetime) -> tuple[Window, ...]:
    """The windows that are scheduled and not over."""
    return () if target.scaling is None else windows_of(target.scaling.there(), now)


def with_event(known: tuple[Window, ...], window: Window) -> tuple[Window, ...]:
    """`known`, with this one for its event: an event has one window."""
    return tuple(sorted((*(each for each in known if each.event != window.event), window)))


def schedule(target: Target, window: Window, now: datetime) -> tuple[Window, ...]:
    """Has AWS raise and lower for the event of `window`; answers every window there is then.

    A second time with the same window changes nothing. Nothing happens where nobody keeps a schedule.
    """
    windows = with_event(standing(target, now), window)
    if target.scaling is not None:
        target.scaling.register(max(peak(windows), target.alias.state().asked))
        apply(target.scaling, changes(target.scaling.there(), windows, now))
    return windows


def raise_now(target: Target, window: Window, now: datetime) -> int:
    """Asks for what is needed from now on, once it is certain to be lowered; answers how much that is."""
    if target.scaling is None:
        target.alias.ask(window.amount)
        return window.amount
    windows = schedule(target, window, now)
    amount = level(windows, now)
    target.alias.ask(amount)
    return amount


def lower(target: Target, event: int | None, now: datetime) -> int:
    """Ends the window of `event`, or all of them for None; answers how much is left for others now.

    Nothing that could raise again is left before it is lowered, and nothing that lowers is removed before.
    """
    left = tuple(each for each in standing(target, now) if event is not None and each.event != event)
    amount = level(left, now)
    if target.scaling is None:
        target.alias.ask(0)
        return 0
    to_do = changes(target.scaling.there(), left, now)
    raises = tuple(name for name in to_do.delete if name.endswith("-raise"))
    for name in raises:
        target.scaling.delete(name)
    target.alias.ask(amount)
    apply(target.scaling, msgspec.structs.replace(to_do, delete=to_do.delete[len(raises) :]))
    if not left:
        target.scaling.deregister()
    return amount
