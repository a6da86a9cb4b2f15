"""When a sale will be sold out, if it goes on as it has gone lately. Pure.

The rate is an exponentially weighted mean: a second counts half as much as one that came HALF_LIFE_SECONDS
later. A plain window would do, but orders are decided a batch at a time, and a plain mean jumps twice for
each batch: when it comes into the window, and when it falls out at the other end. Here it only fades.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp2

import msgspec

HALF_LIFE_SECONDS = 5.0
"""Long enough that a batch a second looks steady, short enough that a crowd that leaves is seen to leave."""
LOOK_BACK_SECONDS = 60
"""Twelve half-lives: what came before would weigh less than one part in four thousand."""
SLOWEST = 1 / 3_600
"""Tickets a second. What sells slower than one in an hour, by then, has stopped."""


class Forecast(msgspec.Struct, frozen=True):
    """`sold_out_at` is None when nothing sells or nothing is left."""

    sold_out_at: datetime | None
    tickets_per_second: float


def rate(sold: Sequence[int]) -> float:
    """Tickets a second, of the tickets sold in each of the last seconds, the present one last.

    Seconds before the first sale do not count, so that a sale that has just begun is not called slow.
    """
    started = next((place for place, tickets in enumerate(sold) if tickets), len(sold))
    if started == len(sold):
        return 0.0
    weights = [exp2(-age / HALF_LIFE_SECONDS) for age in range(len(sold) - started)]
    weighed = sum(weight * tickets for weight, tickets in zip(weights, reversed(sold), strict=False))
    return weighed / sum(weights)


def forecast(sold: Sequence[int], available: int, now: datetime) -> Forecast:
    """Says when the `available` tickets will be gone.

    `sold` has the tickets sold in each of the last seconds, the one that ends at `now` last.
    """
    per_second = rate(sold)
    if available <= 0 or per_second < SLOWEST:
        return Forecast(None, per_second)
    try:
        return Forecast(now + timedelta(seconds=available / per_second), per_second)
    except OverflowError:  # a stadium that sells a ticket an hour outlives the calendar
        return Forecast(None, per_second)
