"""How far a rush is, shown on the terminal's error stream. It must not know what the steps are.

Drawn from the crowd's own event loop, and seldom: a drawing takes milliseconds, which the orders
under way at that moment would be charged with.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Steps(Protocol):
    """Hears what is being done and how much of it is done."""

    def begin(self, step: str, total: int) -> None:
        """A new step begins; it will be done at `total`."""

    def at(self, done: int) -> None:
        """So much of the present step is done."""


class Notes(Steps, Protocol):
    """Hears as well what happens beside the steps."""

    def note(self, line: str) -> None:
        """Something has happened. May be called from any thread."""


class Unseen:
    """Shows nothing."""

    def begin(self, step: str, total: int) -> None:
        """Says nothing."""

    def at(self, done: int) -> None:
        """Says nothing."""

    def note(self, line: str) -> None:
        """Says nothing."""


class Bars:
    """A bar for each step, on the error stream; a context manager."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description:<10}"),
            BarColumn(40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
        self._step = TaskID(0)
        self._total = 0

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, step: str, total: int) -> None:
        """Leaves the last step's bar full and draws a new one."""
        if self._bars.tasks:
            self.at(self._total)
        self._total = total
        self._step = self._bars.add_task(step, total=total)
        self._bars.refresh()

    def at(self, done: int) -> None:
        """Draws the bar of the present step."""
        self._bars.update(self._step, completed=done, refresh=True)

    def note(self, line: str) -> None:
        """Leaves a line above the bars; they are drawn again with the next step forward."""
        self._bars.console.print(line, highlight=False)
