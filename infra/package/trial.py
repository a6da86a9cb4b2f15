"""Imports every function from a zip that was just made, where this machine can, before anybody gets it.

A function that cannot be imported answers nobody, CloudFormation neither, which waits eleven minutes for the
answer of a migration. It must not know what the functions do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from infra.package.cold_start import DidNotStart, started
from infra.package.starts import STARTS, Start

AT_ONCE = 2
"""Processes; each is busy for a quarter of a second."""


def not_importable(content: bytes) -> list[str]:
    """The functions of the zip that cannot be imported from it, with the reason of each; none: all can."""
    with TemporaryDirectory(prefix="onsale-trial-") as folder:
        with ZipFile(BytesIO(content)) as archive:
            archive.extractall(folder)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda start: _fault(Path(folder), start), STARTS.values()))
    return [fault for fault in found if fault]


def _fault(task: Path, start: Start) -> str:
    try:
        started(task, replace(start, events=(), parts=()))
    except DidNotStart as error:
        return str(error)
    return ""
