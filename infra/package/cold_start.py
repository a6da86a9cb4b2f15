"""Measures how each function starts from the zip alone: CPU, modules, and which imports weigh most.

CPU and not time, because a loaded machine changes only the latter. Knows no function; `starts` has them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.package import starting
from infra.package.starts import SETTINGS, Start

TIMES = 5
_IMPORTED = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)$", re.MULTILINE)


class DidNotStart(Exception):
    """A function does not start from the zip: most of all, something that it imports is not there."""


@dataclass(frozen=True)
class Figures:
    """One function's start: CPU in ms from the interpreter's start on, the least of all tries.

    `ready_ms` until its handler is imported, `first_ms` with what its first calls import; `modules` are
    loaded by then; `heaviest` has ms of import by package, without what that imports in turn.
    """

    function: str
    limit_ms: float
    ready_ms: float
    first_ms: float
    modules: int
    heaviest: dict[str, float]

    @property
    def is_within(self) -> bool:
        """Whether the start keeps its limit."""
        return self.first_ms <= self.limit_ms


def measure(task: Path, name: str, start: Start, times: int = TIMES) -> Figures:
    """Starts the function `times` times from the unpacked zip in `task`. Raises DidNotStart."""
    tries = [started(task, start) for _ in range(times)]
    best = min(tries, key=lambda each: float(each["first_ms"]))
    ready = min(float(each["ready_ms"]) for each in tries)
    return Figures(name, start.limit_ms, ready, best["first_ms"], len(best["modules"]), _weighed(task, start))


def started(task: Path, start: Start, settings: Mapping[str, str] = SETTINGS) -> dict[str, Any]:
    """One cold start, in a process that knows nothing of what is installed here. Raises DidNotStart."""
    found: dict[str, Any] = json.loads(_run(task, start, settings).stdout.splitlines()[-1])
    return found


def _weighed(task: Path, start: Start) -> dict[str, float]:
    """Milliseconds by package, from one more start: to be told of each import slows them all."""
    said = _run(task, start, SETTINGS, "-X", "importtime").stderr
    weights: Counter[str] = Counter()
    for microseconds, module in _IMPORTED.findall(said):
        weights[module.split(".")[0]] += int(microseconds)
    return {package: weight / 1000 for package, weight in weights.most_common()}


def _run(
    task: Path, start: Start, settings: Mapping[str, str], *flags: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", *flags, starting.__file__],
        input=json.dumps({"task": str(task), **asdict(start)}),
        env=dict(settings),
        cwd=task,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DidNotStart(f"{start.handler}: {done.stderr.strip().splitlines()[-1]}")
    return done
