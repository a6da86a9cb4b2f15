"""What every answer has in common: camelCase on the wire, times in UTC. Knows no resource."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class Output(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Everything shown to a caller, in camelCase."""


def utc(moment: datetime | None) -> datetime | None:
    """Brings a time into UTC; None stays None."""
    return None if moment is None else moment.astimezone(UTC)
