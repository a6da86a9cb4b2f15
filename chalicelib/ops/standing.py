"""How the queue stands: what lies on it, how old the oldest order is, and whether fulfilment works.

It changes nothing, and knows no HTTP.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.log import log
from chalicelib.ops import measured
from chalicelib.pausing import mapping

if TYPE_CHECKING:
    from chalicelib.aws.mapping import Mapping
    from chalicelib.queue.depths import Depth
    from chalicelib.services import Services


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The queue at `as_of`."""

    orders: Depth
    dead: int
    oldest_age_seconds: float | None
    """Of accepted orders without an answer; 0 when there is none, None while the gate does not answer."""
    done_per_minute: float | None
    """None while CloudWatch does not answer."""
    fulfilment: Mapping
    as_of: datetime


def standing(services: Services) -> Standing:
    """Looks at the queue. Raises Unavailable when SQS does not answer; what else is down is left out."""
    return Standing(
        orders=services.depths.orders(),
        dead=services.depths.dead_letters().waiting,
        oldest_age_seconds=_age_if_known(services),
        done_per_minute=measured.done_per_minute(services),
        fulfilment=mapping(services),
        as_of=services.clock(),
    )


def oldest_age_seconds(services: Services) -> float:
    """How long ago the oldest order was accepted whose claim is in the gate; 0 without one.

    It has waited longest for its decision, be its message on the queue, in hand or lost. Raises Unavailable.
    """
    ages_ms = (services.gate.oldest_ms(event_id) for event_id in services.gate.loaded_events())
    return max((age_ms for age_ms in ages_ms if age_ms is not None), default=0) / 1_000


def _age_if_known(services: Services) -> float | None:
    try:
        return oldest_age_seconds(services)
    except Unavailable as error:
        log("age-unknown", "warning", part=error.part, cause=error.detail)
        return None
