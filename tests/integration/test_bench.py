"""`python -m infra bench` as it is typed, with figures so small that they mean nothing."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.bench.own_stack import BenchFault, own_stack
from infra.commands.bench import bench
from infra.local.layout import CHECKOUT, Layout

pytestmark = pytest.mark.slow
MAY_BE_NOTHING = {"transactions", "messages", "queue"}
"""What a refusal touches. CPU by process is left out: it is counted in hundredths of a second."""


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def numbers(found: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(found, dict):
        for key, value in found.items():
            yield from () if key == "cpuMicros" else numbers(value, key)
    elif isinstance(found, list):
        for value in found:
            yield from numbers(value, name)
    elif isinstance(found, int | float):
        yield name, found


def test_every_figure_is_measured_and_nothing_is_left_running(tmp_path: Path) -> None:
    tiny = ["--seconds", "0.1", "--orders", "200", "--state-dir", str(tmp_path), "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "infra", "bench", *tiny],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    nothing = [name for name, value in numbers(document["figures"]) if value <= 0]
    assert set(nothing) <= MAY_BE_NOTHING
    assert document["figures"]["endToEnd"]["orders"] == 200
    assert document["figures"]["endToEnd"]["cpuMicros"]["http"] > 0
    assert [rate["batch"] for rate in document["figures"]["ledger"]] == [10, 100, 1_000]
    assert len(document["targets"]) == 11
    assert not Layout.at(tmp_path).is_locked()


def test_a_directory_in_which_a_stack_runs_is_left_alone(locked: Path) -> None:
    ended = CliRunner().invoke(bench, ["--state-dir", str(locked)])
    assert ended.exit_code == 1
    assert "A stack runs in" in ended.stderr


def test_a_stack_that_cannot_start_is_a_fault_with_its_own_words(locked: Path) -> None:
    with pytest.raises(BenchFault, match="A stack already runs in"), own_stack(locked):
        pytest.fail("it has started")
