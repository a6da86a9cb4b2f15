"""A supervisor that stays behind when its verb has ended: how it is left there, and how it is told to stop.

Knows processes and the state that a supervisor writes; it does not know what is supervised.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from infra.local.children import end
from infra.local.layout import CHECKOUT, Layout
from infra.local.supervisor import READY_SECONDS
from infra.local.tenancy import CannotStart, leftovers


class DoesNotStop(RuntimeError):
    """A supervisor is still there after the time that it was given. The message names its log."""


def leave_running(layout: Layout, words: Sequence[str], log_name: str) -> str:
    """Runs `python -m <words>` in the background until its state says `ready`; returns what it printed.

    Raises CannotStart, with what it said when it ended instead.
    """
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = layout.root / log_name
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS * 2
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise CannotStart(log.read_text().removeprefix("Error: ").strip())
        state = layout.read_state() or {}
        if state.get("ready") and state["supervisor"]["pid"] == supervisor.pid:
            supervisor.returncode = 0  # it is left behind on purpose, and no Popen has to say so
            return log.read_text().rstrip()
        time.sleep(0.05)
    raise CannotStart(f"It did not become ready in {2 * READY_SECONDS:g} s; its log is {log}.")


def stop(layout: Layout, patience_seconds: float) -> bool:
    """Ends the supervisor of this state directory and whatever it has left; False when there is nothing.

    Raises DoesNotStop.
    """
    state = layout.read_state()
    if state is None:
        return False
    _end_supervisor(layout, state["supervisor"]["pid"], patience_seconds)
    for found in reversed(leftovers(state)):
        process = found.process()
        if process is not None:
            end(process, found.stop_signal)
    layout.state_file.unlink(missing_ok=True)
    return True


def _end_supervisor(layout: Layout, pid: int, patience_seconds: float) -> None:
    try:
        supervisor = psutil.Process(pid)
        if not layout.is_locked():
            return  # the number belongs to somebody else by now
        supervisor.terminate()
        supervisor.wait(timeout=patience_seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired as error:
        raise DoesNotStop(f"Process {pid} does not stop; look at {layout.logs}.") from error
