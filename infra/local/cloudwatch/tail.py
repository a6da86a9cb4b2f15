"""Follows every log of a directory, whole lines at a time. Knows files; it does not know what a line says.

A file is read from its beginning: a fresh process finds again what was measured before it. What is written
while we read, a line that is half there, a file that was cut or replaced: each line is handed over once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024
LINE_BYTES_AT_MOST = 1024 * 1024
"""CloudWatch Logs takes no longer event; the rest of a longer line is passed over."""


class _File:
    """One log, and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self._identity = _identity(path)
        self._rest = b""
        self._too_long = False

    def lines(self) -> Iterator[list[bytes]]:
        """The whole lines that have come since last time, in portions."""
        size = self._path.stat().st_size if self._is_still_there() else None
        if size is not None and size < self._file.tell():
            self._file.seek(0)  # it was cut
            self._rest = b""
        while chunk := self._file.read(CHUNK_BYTES):
            yield self._whole(chunk)

    def was_replaced(self) -> bool:
        """Whether another file has its name now."""
        return not self._is_still_there()

    def close(self) -> None:
        """Lets go of it."""
        self._file.close()

    def _is_still_there(self) -> bool:
        return _identity(self._path) == self._identity

    def _whole(self, chunk: bytes) -> list[bytes]:
        *lines, rest = (self._rest + chunk).split(b"\n")
        if self._too_long and lines:
            lines, self._too_long = lines[1:], False
        self._too_long = self._too_long or len(rest) > LINE_BYTES_AT_MOST
        self._rest = b"" if self._too_long else rest
        return lines


class Tail:
    """All `*.log` of one directory, those that come later included."""

    def __init__(self, folder: Path) -> None:
        """`folder` may be empty, or not be there yet."""
        self._folder = folder
        self._files: dict[Path, _File] = {}

    def poll(self) -> Iterator[list[bytes]]:
        """Everything new since the last time, in portions of lines without their line feed."""
        for path in sorted(self._folder.glob("*.log")):
            try:
                yield from self._new_in(path)
            except FileNotFoundError:
                self._forget(path)

    def close(self) -> None:
        """Closes the files."""
        for path in list(self._files):
            self._forget(path)

    def _new_in(self, path: Path) -> Iterator[list[bytes]]:
        if path not in self._files:
            self._files[path] = _File(path)
        yield from self._files[path].lines()
        if self._files[path].was_replaced():
            self._forget(path)
            self._files[path] = _File(path)
            yield from self._files[path].lines()

    def _forget(self, path: Path) -> None:
        if file := self._files.pop(path, None):
            file.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
