"""Which fault strikes at which second of a rush. Pure: a seed and a length in, the same schedule out, always.

The faults singly are the fault tests' affair; here several are to meet. So they come in groups, each
within half a second, and the groups are spread over the crowd's time: some meet the sale's first tickets,
some the sold-out event. It must not know how any of them is done.
"""

from __future__ import annotations

import random
from enum import Enum

import msgspec


class Kind(Enum):
    """What can be done to a running stack; the value is what a report calls it."""

    KILL_WORKER = "worker killed"
    DROP_BATCH = "batch dropped"
    DOUBLE_BATCH = "batch handled twice"
    CRASH_POSTGRES = "PostgreSQL crashed"
    RESTART_POSTGRES = "PostgreSQL restarted"
    KILL_VALKEY = "Valkey killed"
    WIPE_VALKEY = "Valkey wiped"


class Strike(msgspec.Struct, frozen=True):
    """One fault: seconds after the crowd has begun, and what it is."""

    at_seconds: float
    kind: Kind


TO_WORKERS = 4 * (Kind.KILL_WORKER,) + 2 * (Kind.DROP_BATCH, Kind.DOUBLE_BATCH)
TO_STORES = (
    (Kind.CRASH_POSTGRES, Kind.RESTART_POSTGRES),
    (Kind.KILL_VALKEY, Kind.WIPE_VALKEY),
)
"""By store. SQS is spared: an order whose claim is wiped has its message alone (docs/reliability.md)."""
GROUPS = 7
FIRST, LAST = 0.08, 0.9
"""The shares of the crowd's time at which the first and the last group begin."""
TOGETHER_SECONDS = 0.5


def schedule(seed: int, over_seconds: float) -> tuple[Strike, ...]:
    """The faults of one rush whose crowd takes `over_seconds`, in the order of striking.

    Every kind at least once, workers most often; never two faults to one store in one group, because the
    second would find it down and be none. With twelve faults in at most seven groups some always meet.
    """
    chance = random.Random(f"chaos {seed}")  # noqa: S311  spreads faults, guards nothing
    groups: list[list[Kind]] = [[] for _ in range(GROUPS)]
    for kinds in TO_STORES:
        for group, kind in zip(chance.sample(groups, len(kinds)), kinds, strict=True):
            group.append(kind)
    for kind in TO_WORKERS:
        chance.choice(groups).append(kind)
    faults = [
        Strike(round(_begin(number, over_seconds) + chance.uniform(0, TOGETHER_SECONDS), 2), kind)
        for number, group in enumerate(groups)
        for kind in group
    ]
    return tuple(sorted(faults, key=lambda strike: strike.at_seconds))


def _begin(group: int, over_seconds: float) -> float:
    return over_seconds * (FIRST + (LAST - FIRST) * group / (GROUPS - 1))
