"""CPU time by part, read from the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from infra.bench.cpu import PARTS, Meter, micros_each

NOBODY: dict[str, Any] = {part: {"pid": None} for part in PARTS}


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_what_a_part_has_used_is_seen() -> None:
    meter = Meter({**NOBODY, "http": {"pids": [os.getpid()]}})
    before = meter.read()
    burn(0.1)
    used = {part: after - before[part] for part, after in meter.read().items()}
    assert used["http"] >= 0.07
    assert {part: used[part] for part in PARTS if part != "http"} == dict.fromkeys(PARTS[1:], 0.0)


def test_what_an_ended_child_has_used_is_its_parents() -> None:
    meter = Meter({**NOBODY, "sqs": {"pid": os.getpid()}})
    before = meter.read()
    busy = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)
    assert meter.read()["sqs"] - before["sqs"] >= 0.07


def test_a_part_whose_process_is_gone_has_used_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert Meter({**NOBODY, "worker": {"pids": [ended.pid]}}).read()["worker"] == 0.0


def test_the_time_between_two_readings_is_shared_among_the_requests() -> None:
    assert micros_each({"http": 1.0, "sqs": 2.0}, {"http": 1.5, "sqs": 2.0}, 1_000) == {
        "http": 500.0,
        "sqs": 0.0,
    }


def test_nothing_asked_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing was asked"):
        micros_each({}, {}, 0)
