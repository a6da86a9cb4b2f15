"""A bar on the error stream for work that is asked for again and again until nothing is left."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Moving:
    """A context manager; draws nothing where nobody would see it."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        """`what` is done to the items, such as "deleted"."""
        columns = (TextColumn("{task.description:<10}"), BarColumn(40), MofNCompleteColumn())
        disable = quiet or not sys.stderr.isatty()
        self._bar = Progress(
            *columns, TimeElapsedColumn(), console=Console(stderr=True), disable=disable, transient=True
        )
        self._task = self._bar.add_task(what, total=None)

    def at(self, done: int, left: int) -> None:
        """So many are done, so many are left."""
        self._bar.update(self._task, completed=done, total=done + left)

    def __enter__(self) -> Moving:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
