"""CPU time by part of a running stack, read from the operating system. It must not know what a part does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import psutil

PARTS = ("http", "worker", "postgres", "valkey", "sqs", "schedule")
ELSEWHERE = "elsewhere"
"""What the machine did besides the stack and this process: beside a high figure, all others are too low."""


class Meter:
    """Reads the CPU seconds that each part of one stack has used so far, children and all."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        """`state` is what `up` wrote for `status`."""
        self._pids = {part: _pids(state[part]) for part in PARTS}

    def read(self) -> dict[str, float]:
        """CPU seconds by part, and ELSEWHERE, since each was started; the kernel counts in hundredths.

        The stack has to be this process's child, or ELSEWHERE has it too.
        """
        parts = {part: sum(map(_family_seconds, pids)) for part, pids in self._pids.items()}
        return {**parts, ELSEWHERE: _machine_seconds() - _family_seconds(os.getpid())}


def micros_each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """CPU µs by part for each of `count` requests between two readings. Raises ValueError when count is 0."""
    if count < 1:
        raise ValueError("nothing was asked between the two readings")
    return {part: round(max(after[part] - before[part], 0.0) * 1e6 / count, 1) for part in before}


def _pids(facts: Mapping[str, Any]) -> list[int]:
    pids: Iterable[int | None] = facts["pids"] if "pids" in facts else [facts["pid"]]
    return [pid for pid in pids if pid is not None]


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # What a guest uses is in the user's time already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guests)


def _family_seconds(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        return sum(map(_seconds, [process, *process.children(recursive=True)]))
    except psutil.NoSuchProcess:
        return 0.0


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    # A child that has ended is counted by its parent, so that nothing is lost between two readings.
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)
