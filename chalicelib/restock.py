"""What the ledger has given back, or taken late, is passed on to the gate: tickets are on sale again.

The gate is realigned and never adjusted, so that passing on twice changes nothing. A gate that is down
is brought in line by the reconciler.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.errors import OnsaleError
from chalicelib.log import log
from chalicelib.services import Services


def restock(services: Services, event_ids: Iterable[int]) -> None:
    """Realigns the gate for these events. Raises nothing: what the ledger has written stands anyway."""
    from chalicelib.realign import realign  # the door rarely needs it

    for event_id in event_ids:
        try:
            realign(services, event_id)
        except OnsaleError as error:
            log("not-restocked", "warning", eventId=event_id, cause=error.detail)
