"""What stands around the queue in memory: its depths, and the switch of its function."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.aws.mapping import Mapping as QueueMapping
from chalicelib.aws.mapping import MappingState
from chalicelib.queue.depths import Depth


class MemoryDepths:
    """Counts what `waiting` counts; nothing is in flight."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """`waiting` is asked each time."""
        self._waiting = waiting
        self.dead = 0

    def orders(self) -> Depth:
        """The order queue's."""
        return Depth(self._waiting(), 0, 0)

    def dead_letters(self) -> Depth:
        """The dead-letter queue's."""
        return Depth(self.dead, 0, 0)


class MemoryMapping:
    """A mapping whose changes take effect when it is looked at next."""

    def __init__(self) -> None:
        """Enabled."""
        self.enabled = True

    def read(self) -> QueueMapping:
        """As it is."""
        return self._shown(MappingState.ENABLED if self.enabled else MappingState.DISABLED)

    def switch(self, *, enabled: bool) -> QueueMapping:
        """Turns it on or off."""
        self.enabled = enabled
        return self._shown(MappingState.ENABLING if enabled else MappingState.DISABLING)

    def _shown(self, state: MappingState) -> QueueMapping:
        return QueueMapping(state=state, batch_size=100, window_seconds=1)
