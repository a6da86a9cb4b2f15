"""The gate's rate limits in memory: what `admit.lua` keeps of them, by the same arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

WINDOW_US = 60_000_000


class Buckets:
    """By a key of any kind: the moment at which the bucket is whole again, µs."""

    def __init__(self) -> None:
        """Every bucket is whole."""
        self._whole_us: dict[object, int] = {}

    def take(self, limits: Iterable[tuple[object, int | None]], now_us: int) -> tuple[int, int] | None:
        """Takes one from each bucket, or none: each has its key and its requests a minute.

        Returns None, or the place of the bucket that has none left and the µs until it has.
        """
        taken: dict[object, int] = {}
        for place, (key, limit) in enumerate(limits):
            if limit is None:
                continue
            step_us = -(-WINDOW_US // limit)
            taken[key] = max(self._whole_us.get(key, 0), now_us) + step_us
            wait_us = taken[key] - now_us - step_us * limit
            if wait_us > 0:
                return place, wait_us
        self._whole_us.update(taken)
        return None

    def until_whole_us(self, key: object, now_us: int) -> int:
        """How long the bucket needs, 0 when it is whole."""
        return max(0, self._whole_us.get(key, 0) - now_us)

    def clear(self) -> None:
        """Forgets them all."""
        self._whole_us.clear()
