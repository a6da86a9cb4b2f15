"""What somebody asks to be raised, and what there is to say before anything is done. Pure.

It must not know any account; refusals are Refused, with a sentence that says what to do.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from infra.prewarm.room import Room, split, too_late, too_many
from infra.prewarm.stores import AHEAD_MINUTES, Stores
from infra.prewarm.windows import Window, around, from_now, level, peak

SOON = timedelta(hours=2)
"""How long before it opens it may be raised at once."""


class Refused(ValueError):
    """It cannot be raised so. The message says why, and what to do."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """`concurrency` of the door for `event`, from `before` until `after` it opens."""

    event: int
    opens_at: datetime
    concurrency: int
    before: timedelta
    after: timedelta


def opening(event: dict[str, Any]) -> datetime:
    """When the event goes on sale, by the service's own answer. Raises Refused when it has no such time."""
    said = event.get("salesOpenAt")
    if not said:
        raise Refused(
            f"Event {event.get('id')} has no salesOpenAt, it is on sale already: give --at, or --now."
        )
    return datetime.fromisoformat(said).astimezone(UTC)


def window(wish: Wish, now: datetime) -> Window:
    """When the door is raised for it. Raises Refused when that has begun, or would be too short."""
    made = around(wish.event, wish.opens_at, wish.before, wish.after, wish.concurrency)
    if made.lower_at <= now:
        raise Refused(f"That is over: it opened at {wish.opens_at:%Y-%m-%d %H:%M} UTC. Give another --at.")
    if made.raise_at <= now:
        raise Refused(
            f"It opens at {wish.opens_at:%H:%M} UTC, so it would have been raised by now: give --now, which"
            " raises at once and schedules the lowering."
        )
    if fault := too_late(wish.concurrency, wish.before.total_seconds() / 60):
        raise Refused(fault)
    return made


def window_from_now(wish: Wish, now: datetime) -> Window:
    """The same when the door is raised at once. Raises Refused when it opens much later."""
    if wish.opens_at - now > SOON:
        raise Refused(
            f"It opens at {wish.opens_at:%Y-%m-%d %H:%M} UTC, and until then it would cost for nothing: leave"
            " --now out, and it is raised in time."
        )
    return from_now(wish.event, wish.concurrency, now, max(wish.opens_at, now) + wish.after)


def store_windows(made: Window, need: Stores) -> tuple[Window, Window]:
    """The same for the cache and the cluster, which take longer to be ready."""
    earlier = made.raise_at - timedelta(minutes=AHEAD_MINUTES)
    return (
        msgspec.structs.replace(made, raise_at=earlier, amount=need.ecpu),
        msgspec.structs.replace(made, raise_at=earlier, amount=need.half_acu),
    )


def fits(function: str, windows: tuple[Window, ...], room: Room, at: datetime | None) -> None:
    """Raises Refused when there is no room for all windows together; `at` is now, to raise at once."""
    amount = peak(windows) if at is None else level(windows, at)
    fault = too_many(function, amount, room) or (None if at is None else split(function, room))
    if fault:
        raise Refused(fault)


def told(windows: tuple[Window, ...]) -> list[str]:
    """Each window as a line."""
    return [
        f"event {each.event or '(by hand)'}: {each.amount:,} from {each.raise_at:%Y-%m-%d %H:%M} until"
        f" {each.lower_at:%Y-%m-%d %H:%M} UTC"
        for each in windows
    ]
