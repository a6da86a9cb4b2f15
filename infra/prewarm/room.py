"""Whether an account has room for what is asked, and what to do where it has not. Pure.

It must not know how the figures were come by.
"""

from __future__ import annotations

from math import ceil

import msgspec

from infra.capacity.advice import PROVISIONED_A_MINUTE
from infra.capacity.demand import REQUESTS_OF_AN_ENVIRONMENT

QUOTA = "L-B99A9384"
"""Lambda's "Concurrent executions" in Service Quotas."""
KEPT_UNRESERVED = 100
"""What Lambda leaves to functions without a reservation (Lambda guide, "Reserved concurrency")."""
SLACK_MINUTES = 1


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A function among the others of its account and region.

    `limit` is the account's concurrency, `unreserved` what nobody has set aside, `reserved` what the
    function has set aside for itself (None: nothing), `provisioned` what its alias has now. `split`: the
    alias sends some of its traffic to a second version.
    """

    limit: int
    unreserved: int
    reserved: int | None
    provisioned: int
    split: bool


def most(room: Room) -> int:
    """The provisioned concurrency that the alias can have."""
    if room.reserved is not None:
        return room.reserved
    return max(0, room.unreserved + room.provisioned - KEPT_UNRESERVED)


def too_many(function: str, asked: int, room: Room) -> str | None:
    """A sentence when `asked` is more than there can be, else None."""
    if asked <= most(room):
        return None
    if room.reserved is not None:
        return (
            f"{function} has {room.reserved:,} reserved, and no more of it can be provisioned than that: "
            f"set door_reserved_concurrency to {asked:,} or more in infra/stacks/stages.toml, and deploy."
        )
    return (
        f"{asked:,} of {function} are more than the {most(room):,} that the account has left of its"
        f" {room.limit:,}: ask for {room.limit + asked - most(room):,} in Service Quotas (Lambda, Concurrent"
        f" executions, {QUOTA}). It can take weeks."
    )


def split(function: str, room: Room) -> str | None:
    """A sentence when the alias cannot be provisioned now, else None."""
    if not room.split:
        return None
    return (
        f"{function} sends traffic to two versions: a deployment is under way, and Lambda provisions no such "
        "alias. Wait until it is over, or roll it back."
    )


def ramp_minutes(asked: int) -> int:
    """How long Lambda takes to make `asked` environments, in whole minutes."""
    return ceil(asked / PROVISIONED_A_MINUTE)


def too_late(asked: int, minutes_before: float) -> str | None:
    """A sentence when they would not be ready before the sale opens, else None."""
    needed = ramp_minutes(asked) + SLACK_MINUTES
    if minutes_before >= needed:
        return None
    return f"{asked:,} environments take {needed} minutes to make: give --minutes-before {needed} or more."


def carries(asked: int) -> str:
    """What `asked` means for the crowd."""
    minutes = ramp_minutes(asked)
    return (
        f"{asked:,} environments answer up to {asked * REQUESTS_OF_AN_ENVIRONMENT:,} requests a second"
        f" without a cold start, and are ready {minutes} minute{'s' if minutes > 1 else ''} after the raise."
    )
