"""When the gap was gone for good, and what a report and a verdict make of it."""

from __future__ import annotations

import pytest

from infra.chaos.seen import ChaosSeen, FaultSeen, Look, chaos_checks, chaos_lines, chaos_seen

KILLED = FaultSeen(3.5, "worker killed", "worker-1", 0.9)
DROPPED = FaultSeen(4.0, "batch dropped", "worker-2")
MISSED = FaultSeen(5.0, "Valkey wiped", "nobody", missed="Valkey is down, for 15 s")


def seen(*gaps: int | None, faults: tuple[FaultSeen, ...] = (KILLED, DROPPED)) -> ChaosSeen:
    """One look a second, beginning a second after the last fault."""
    return chaos_seen(1, faults, [Look(float(second), gap) for second, gap in enumerate(gaps, start=1)])


def broken(found: ChaosSeen) -> list[str]:
    return [check.promise for check in chaos_checks(found) if not check.passed]


@pytest.mark.parametrize(
    ("gaps", "after"),
    [
        ([0, 0, 0], 1.0),
        ([5, None, 0, 0], 3.0),
        ([0, 0, -2, 0], 4.0),
        ([0, 0, None], None),
        ([0, 3], None),
        ([], None),
    ],
)
def test_the_gap_is_gone_when_it_never_comes_back(gaps: list[int | None], after: float | None) -> None:
    assert seen(*gaps).gap_zero_after_seconds == after


def test_looks_that_saw_a_gap_are_kept() -> None:
    assert [(look.after_seconds, look.gap) for look in seen(5, 0, None, 0).gaps] == [(1.0, 5), (3.0, None)]


def test_a_gap_that_is_gone_in_time_breaks_nothing() -> None:
    assert broken(seen(*[4] * 9, 0, 0)) == []


@pytest.mark.parametrize("gaps", [[4] * 10 + [0], [0] * 30 + [1], [0] * 30 + [1, 0]])
def test_a_gap_that_lasts_or_comes_back_breaks_the_promise(gaps: list[int]) -> None:
    assert broken(seen(*gaps)) == ["the gap is 0 within 10 s of the last fault, and stays 0"]


def test_a_fault_that_did_not_strike_is_no_proof() -> None:
    assert broken(seen(0, faults=(KILLED, MISSED))) == ["every fault struck"]


def test_the_table_has_a_line_for_each_fault() -> None:
    assert chaos_lines(seen(0, faults=(KILLED, DROPPED, MISSED))) == [
        "chaos of seed 1",
        "  second  fault                   victim        back after",
        "    3.50  worker killed           worker-1          0.90 s",
        "    4.00  batch dropped           worker-2",
        "    5.00  Valkey wiped            nobody      Valkey is down, for 15 s",
    ]
