"""Keeps a set of parts alive: starts them, waits until they answer, restarts the dead, stops them in order.

Knows processes; it does not know what Onsale is made of (`stack.py` does).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from infra.local.children import GRACE_SECONDS, Identity, Part, end, end_group, identity, start

READY_SECONDS = 60.0
"""A slow machine's first start: initdb and the first import of everything."""
CALM_SECONDS = 5.0
"""A part that lived longer than this is restarted at once; one that did not, after a growing wait."""
MAX_WAIT_SECONDS = 5.0


class StartFailed(RuntimeError):
    """A part ended, or did not answer in time. The message names its log."""


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    restart_at: float | None = None


class StopSignals:
    """Turns SIGINT, SIGTERM and SIGHUP into a flag, and wakes a waiting `pause` at once."""

    def __init__(self) -> None:
        self.count = 0
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a child's end wakes us too

    def _note(self, *_: object) -> None:
        self.count += 1

    def pause(self, seconds: float) -> None:
        """Waits, but not longer than until the next signal."""
        select.select([self._reader], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 512)


@dataclass
class Supervisor:
    """The parts of one stack, in the order in which they were started."""

    logs: Path
    signals: StopSignals
    changed: Callable[[], None]
    """Called after every start, so that the list of processes on disk is never behind."""
    running: dict[str, _Running] = field(default_factory=dict)

    def start(self, *parts: Part) -> None:
        """Starts parts without waiting for them."""
        for part in parts:
            process = start(part, self.logs / f"{part.name}.log")
            deaths = self.running[part.name].deaths if part.name in self.running else 0
            self.running[part.name] = _Running(part, process, time.monotonic(), deaths)
        self.changed()

    def wait_until_ready(self, *names: str, seconds: float = READY_SECONDS) -> None:
        """Waits for the named parts and prepares each. Raises StartFailed, or Stopped when asked to stop."""
        deadline = time.monotonic() + seconds
        missing = list(names)
        while missing:
            for name in [name for name in missing if self.running[name].part.ready()]:
                self.running[name].part.prepare()
                missing.remove(name)
            self._raise_if_failed(missing, deadline)
            if missing:
                self.signals.pause(0.02)

    def watch(self) -> None:
        """Restarts whatever ends, until asked to stop."""
        while not self.signals.count:
            for running in list(self.running.values()):
                self._look_at(running)
            self.signals.pause(0.25)

    def stop(self, names: Iterable[str], grace_seconds: float = GRACE_SECONDS) -> None:
        """Stops the named parts, all at once, and returns when they are gone."""
        found = [self.running.pop(name) for name in names if name in self.running]
        for running in found:
            with contextlib.suppress(ProcessLookupError):
                running.process.send_signal(running.part.stop_signal)
        deadline = time.monotonic() + grace_seconds
        for running in found:
            _finish(running, max(deadline - time.monotonic(), 0.1))

    def identities(self) -> list[Identity]:
        """Who runs now."""
        found = (identity(running.part, running.process) for running in self.running.values())
        return [one for one in found if one is not None]

    def _look_at(self, running: _Running) -> None:
        if running.restart_at is None:
            if running.process.poll() is not None:
                self._bury(running)
            return
        if time.monotonic() >= running.restart_at:
            self.start(running.part)
            # Not ready in time counts as another death: the next round sees it.
            with contextlib.suppress(StartFailed, Stopped):
                self.wait_until_ready(running.part.name, seconds=READY_SECONDS)

    def _bury(self, running: _Running) -> None:
        end_group(running.process.pid)
        calm = time.monotonic() - running.started > CALM_SECONDS
        running.deaths = 0 if calm else running.deaths + 1
        wait = min(0.1 * 2**running.deaths, MAX_WAIT_SECONDS) if running.deaths else 0.0
        running.restart_at = time.monotonic() + wait
        print(f"{running.part.name} ended ({running.process.returncode}); starting it again", flush=True)

    def _raise_if_failed(self, missing: list[str], deadline: float) -> None:
        if self.signals.count:
            raise Stopped
        for name in missing:
            ended = self.running[name].process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self.logs / f"{name}.log"
                raise StartFailed(
                    f"{name} {'ended' if ended else 'does not answer'}; its log is {log}{_tail(log)}"
                )


def _finish(running: _Running, seconds: float) -> None:
    try:
        running.process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(psutil.NoSuchProcess):
            end(psutil.Process(running.process.pid), signal.SIGKILL)
        running.process.wait()
    end_group(running.process.pid)


def _tail(log: Path, lines: int = 8) -> str:
    try:
        text = log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in text)
