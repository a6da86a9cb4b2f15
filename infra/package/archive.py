"""Writes and reads a zip: the same files give the same bytes. Knows nothing of what they are."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say."""
_UNIX = 3
_READABLE = 0o100644 << 16
"""Lambda's user is none of ours: everybody may read. Nothing has to be executable."""


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip of `files`, by path, whatever their order."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            entry = ZipInfo(path, _EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, _UNIX, _READABLE
            archive.writestr(entry, files[path], compresslevel=9)
    return written.getvalue()


def unzipped(path: Path) -> dict[str, bytes]:
    """The files of a zip by their paths. Raises OSError, zipfile.BadZipFile."""
    with ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}
