"""Progress on a terminal: what has happened stays as lines, what is under way stands in the last one.

Where there is no terminal, only the lines. Knows no stack.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.text import Text


class Progress:
    """A column of lines with a turning sign below it. A context manager, for one thread."""

    def __init__(self, console: Console) -> None:
        """`console` should write to standard error: results are for standard output."""
        self._console = console
        self._status = console.status("")

    def __enter__(self) -> Progress:
        """Shows the sign where there is a terminal."""
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes the sign away."""
        self._status.stop()

    def line(self, text: str) -> None:
        """Something that has happened."""
        self._console.print(Text(text), soft_wrap=True, highlight=False)
        self.now(text.strip())

    def now(self, text: str) -> None:
        """Something that is under way."""
        self._status.update(Text(text[:100]))
