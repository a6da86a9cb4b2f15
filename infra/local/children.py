"""One server of the stack as a child process: how it starts, who it is, how it ends.

Knows processes and signals; it does not know what any server does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal that the kernel sends when the parent is gone."""

GRACE_SECONDS = 10.0
"""How long a server may take to stop before it is killed. PostgreSQL's fast shutdown takes under a second."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def always() -> bool:
    """Ready as soon as it is started."""
    return True


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Part:
    """A server that can be started, asked whether it is ready, and stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own environment."""
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    """System user to run as; None is the present one."""
    ready: Callable[[], bool] = always
    """True once the server answers. Must not raise and must not wait long."""
    prepare: Callable[[], None] = _nothing
    """Runs after every start, once the server is ready: makes queues, databases."""


@dataclass(frozen=True)
class Identity:
    """A process that is not mistaken for a later one with the same number."""

    name: str
    pid: int
    create_time: float
    stop_signal: int

    def process(self) -> psutil.Process | None:
        """The very same process, or None when it is gone."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.create_time) < 0.1  # a clock tick is 10 ms
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start(part: Part, log: Path) -> subprocess.Popen[bytes]:
    """Starts the part in a session of its own: Ctrl-C reaches the supervisor alone. Output goes to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            list(part.command),
            env={**os.environ, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with(os.getpid(), part.stop_signal),  # noqa: PLW1509 - the supervisor has one thread
            user=part.user,
            group=group_of(part.user),
            extra_groups=[] if part.user else None,
        )


def identity(part: Part, process: subprocess.Popen[bytes]) -> Identity | None:
    """Who the started process is, or None when it has ended already."""
    try:
        create_time = psutil.Process(process.pid).create_time()
    except psutil.NoSuchProcess:
        return None
    return Identity(part.name, process.pid, create_time, int(part.stop_signal))


def end(process: psutil.Process, stop_signal: int, grace_seconds: float = GRACE_SECONDS) -> None:
    """Asks the process to stop, waits, and kills it with its children when it does not."""
    try:
        family = process.children(recursive=True)
        process.send_signal(stop_signal)
    except psutil.NoSuchProcess:
        return
    _, stubborn = psutil.wait_procs([process, *family], timeout=grace_seconds)
    for survivor in stubborn:
        survivor.kill()
    psutil.wait_procs(stubborn, timeout=grace_seconds)


def end_group(leader: int) -> None:
    """Kills what is left of a part's children after its own end: each part leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def end_with_parent(stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Called in a process that something else started: it ends when its parent does."""
    parent = os.getppid()
    if _libc is not None:
        _end_with(parent, stop_signal)()
        return

    def watch() -> None:
        while os.getppid() == parent:
            _pause.wait(0.5)
        os.kill(os.getpid(), stop_signal)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


_pause = threading.Event()


def _end_with(parent: int, stop_signal: signal.Signals) -> Callable[[], None]:
    def hook() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked to be told
            os._exit(1)

    return hook


def group_of(user: str | None) -> int | None:
    """The user's own group. A process that keeps root's group is denied what only others may do."""
    if user is None:
        return None
    import pwd  # not on every system

    return pwd.getpwnam(user).pw_gid
