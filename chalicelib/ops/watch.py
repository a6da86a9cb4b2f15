"""The scheduled function that looks: how deep the queues are, how long the oldest order has waited.

It changes nothing. What cannot be measured is said and left out, so that a gate that is down does not hide
the queue. A run is two calls of SQS, and one round trip to the gate for each event that was ever filled,
however many claims there are. Knows no script and no message.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from chalicelib.errors import OnsaleError
from chalicelib.log import log
from chalicelib.metrics import emit
from chalicelib.ops.standing import oldest_age_seconds
from chalicelib.services import Services

_T = TypeVar("_T")


def watch(services: Services, monotonic: Callable[[], float] = time.monotonic) -> dict[str, float]:
    """Writes one line with every gauge that can be measured now, and returns the same by the metrics' names.

    OldestAge is how long ago the oldest order was accepted whose claim is in the gate: the one that has
    waited longest for its decision, be its message on the queue, in hand or lost; 0 without one. BreakerOpen
    is this container's own. `monotonic` counts seconds. Raises nothing for a store that is down.
    """
    gauges: dict[str, float] = {"BreakerOpen": int(services.is_broken(monotonic()))}
    if depth := _measured("QueueDepth", services.depths.orders):
        gauges |= {
            "QueueDepth": depth.waiting,
            "QueueInFlight": depth.in_flight,
            "QueueDelayed": depth.delayed,
        }
    if dead := _measured("DeadLetters", services.depths.dead_letters):
        gauges["DeadLetters"] = dead.waiting + dead.in_flight + dead.delayed
    if (age := _measured("OldestAge", lambda: oldest_age_seconds(services))) is not None:
        gauges["OldestAge"] = age
    emit("watched", gauges)
    return gauges


def _measured(gauge: str, measure: Callable[[], _T]) -> _T | None:
    """What `measure` returns; None when it fails, which is for the log and keeps no other gauge back."""
    try:
        return measure()
    except Exception as error:
        cause = error.detail if isinstance(error, OnsaleError) else f"{type(error).__name__}: {error}"
        log("not-measured", "warning", gauge=gauge, cause=cause)
        return None
