"""Makes a process ready before its first buyer waits: drivers imported, one connection to each store open."""

from __future__ import annotations

import contextlib

from chalicelib.errors import Unavailable
from chalicelib.services import Services


def warm(services: Services) -> None:
    """Asks each store for a sign of life.

    One that does not answer is no reason to stay away: `/ready` tells, and the first call tries again.
    """
    for store in ("gate", "queue", "ledger"):
        with contextlib.suppress(Unavailable):
            getattr(services, store).ping()
