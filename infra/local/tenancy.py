"""One stack in a state directory: its lock, and the processes that a killed stack has left there.

Knows files and processes; it does not know what a stack is made of.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from typing import IO, Any

from infra.local.children import Identity, end
from infra.local.layout import Layout


class CannotStart(RuntimeError):
    """The stack cannot start here and now. The message says what to do."""


def leftovers(state: dict[str, Any]) -> list[Identity]:
    """The processes of a stack by its written state, without looking whether they still run."""
    return [Identity(**found) for found in state.get("processes", [])]


def take_lock(layout: Layout, stop_with: str = "`make down`") -> IO[str]:
    """Takes the state directory until the returned file is closed. Raises CannotStart when it is taken.

    `stop_with` is what ends the one that has it.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    lock = layout.lock_file.open("w")
    for _ in range(10):  # a `status` that looks at the lock holds it for a moment
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(0.02)
    lock.close()
    running = (layout.read_state() or {}).get("http", {}).get("url", "an address not chosen yet")
    raise CannotStart(
        f"A stack already runs in {layout.root}, at {running}. Use it, or stop it with {stop_with}."
    )


def end_leftovers(layout: Layout) -> None:
    """Ends what a killed supervisor left running. Call it with the lock taken."""
    # The supervisor of these was killed. They were told by the kernel to stop; SQS may be writing its state.
    for found in reversed(leftovers(layout.read_state() or {})):
        process = found.process()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                end(process, found.stop_signal)
    layout.state_file.unlink(missing_ok=True)
