"""Whether the local event source mapping is enabled: a small file that its switch writes and workers read.

It outlives the stack, as the mapping in AWS outlives a deployment: what was paused stays paused.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FILE_VARIABLE = "EVENT_SOURCE_MAPPING_FILE"
"""In the environment of a worker: where the file is. Without it, nothing turns the worker off."""
LOOK_SECONDS = 0.2
"""Between two looks of a worker at the file."""


@dataclass(frozen=True)
class Position:
    """How the switch stands, and since when, in seconds since 1970. Enabled unless somebody turned it."""

    enabled: bool = True
    since: float = 0.0


def read(file: Path) -> Position:
    """How the switch stands; a file that is not there, or cannot be read, turns nothing off."""
    try:
        found = json.loads(file.read_text())
        return Position(bool(found["Enabled"]), float(found["LastModified"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Position()


def write(file: Path, position: Position) -> None:
    """Turns the switch in one step, so that a reader never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"Enabled": position.enabled, "LastModified": position.since}) + "\n")
    fresh.replace(file)


class Watch:
    """A worker's eye on the file. Thread-safe; looks at most every LOOK_SECONDS, and reads what changed."""

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`file` need not be there."""
        self._file = file
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next_look = float("-inf")
        self._seen: tuple[int, int] | None = None
        self._enabled = True

    def enabled(self) -> bool:
        """Whether the mapping is to hand batches over."""
        with self._lock:
            if self._monotonic() >= self._next_look:
                self._look()
                self._next_look = self._monotonic() + LOOK_SECONDS
            return self._enabled

    def _look(self) -> None:
        try:
            found = self._file.stat()
        except OSError:
            self._seen, self._enabled = None, True
            return
        seen = (found.st_mtime_ns, found.st_ino)
        if seen != self._seen:
            self._enabled = read(self._file).enabled
            self._seen = seen
