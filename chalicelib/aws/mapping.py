"""An event source mapping in Lambda's words, apart from its client: a page names a state without one."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class MappingState(StrEnum):
    """Whether the mapping hands batches over, or soon will, or soon will not."""

    ENABLED = "Enabled"
    ENABLING = "Enabling"
    DISABLED = "Disabled"
    DISABLING = "Disabling"
    UNKNOWN = "Unknown"


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping as Lambda describes it. None is what it does not tell, or what has no limit."""

    state: MappingState
    batch_size: int | None = None
    window_seconds: int | None = None
    maximum_concurrency: int | None = None


UNKNOWN = Mapping(state=MappingState.UNKNOWN)
"""What is known of a mapping that cannot be asked about."""
