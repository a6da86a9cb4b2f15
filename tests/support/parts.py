"""A server of the embedded stack by itself: started as the stack starts it, stopped as the stack stops it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.children import Part, end_group, start
from tests.support.waiting import until


@contextmanager
def running(part: Part, logs: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the part until the block ends; its output goes to a file in `logs`."""
    process = start(part, logs / f"{part.name}.log")
    try:
        until(part.ready, f"{part.name} is ready", seconds=60)
        part.prepare()
        yield process
    finally:
        process.send_signal(part.stop_signal)
        process.wait(30)
        end_group(process.pid)
