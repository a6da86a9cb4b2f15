"""The simulator: the service keeps its promises, one built wrong does not, and a failing seed can be read."""

from __future__ import annotations

import pytest

from chalicelib import realign
from chalicelib.model import LatePayment
from tests.simulate.clock import virtual_time
from tests.simulate.controls import (
    BlindGiveBack,
    LedgerAlone,
    NoVersionCheck,
    NoVersionCheckAlone,
    SettleBeforeCommit,
)
from tests.simulate.run import Simulator, first_violation
from tests.simulate.schedule import Fault, FaultKind, Kind, Sale, Schedule, Step, draw
from tests.simulate.world import Parts

SEEDS = range(500)
"""Of the fast suite, half a second; `python -m tests.simulate 100000` runs more."""

_KEYED = 32
_SALE = Sale(
    events=1,
    capacities=(2,),
    hold_seconds=0,
    late_payment=LatePayment.REFUND,
    max_per_buyer=2,
    fallback=False,
)
REPLAY_NOT_SENT = Schedule(
    _SALE,
    (
        Step(Kind.BUY, 0, _KEYED, 0, (Fault(5, FaultKind.CRASH_AFTER),)),
        Step(Kind.BUY, 0, _KEYED, 0),
        Step(Kind.WIPE, 0, 0, 0),
    ),
)
"""A buyer's request dies between the gate and the queue; the next, with the same key, is answered 202."""
ALLOWANCE_KEPT = Schedule(
    _SALE,
    (
        Step(Kind.BUY, 0, 0, 0),
        Step(Kind.BUY, 1, 0, 0),
        Step(Kind.DELIVER, 0, 3, 1),
        Step(Kind.CANCEL, 0, 0, 0, (Fault(3, FaultKind.REFUSED),)),
        Step(Kind.CANCEL, 1, 0, 0),
    ),
)
"""A cancelled order's realignment fails; the next one's mends the stock, and must forget both buyers."""


def test_every_promise_is_kept_whatever_happens() -> None:
    found = first_violation(SEEDS)
    assert found is None, "\n".join([f"seed {found[0]}: {found[2]}", *found[3]])


def test_the_ledger_alone_keeps_them_when_the_gate_lets_everybody_in() -> None:
    found = first_violation(SEEDS, LedgerAlone)
    assert found is None, "\n".join([f"seed {found[0]}: {found[2]}", *found[3]])


def test_without_versions_the_last_ticket_is_sold_twice() -> None:
    simulator = Simulator(NoVersionCheckAlone)
    with virtual_time(simulator.clock):
        promises = (violation.promise for seed in range(1_000) if (violation := simulator.run(draw(seed))))
        assert "no oversell" in promises


@pytest.mark.parametrize(
    ("worse", "promises"),
    [
        (NoVersionCheckAlone, {"no oversell", "conservation"}),
        (NoVersionCheck, {"no oversell", "no buyer over the cap", "conservation", "no ticket in two places"}),
        (BlindGiveBack, {"no ticket in two places"}),
        (SettleBeforeCommit, {"no lost order"}),
    ],
)
def test_a_service_built_wrong_is_found_out(worse: type[Parts], promises: set[str]) -> None:
    found = first_violation(range(1_000), worse)
    assert found is not None, "the simulator has seen nothing"
    _, schedule, violation, _ = found
    assert violation.promise in promises
    assert len(schedule.steps) <= 10, "a person has to read it"


@pytest.mark.parametrize("schedule", [REPLAY_NOT_SENT, ALLOWANCE_KEPT])
def test_a_schedule_that_once_broke_a_promise_keeps_it(schedule: Schedule) -> None:
    simulator = Simulator()
    with virtual_time(simulator.clock):
        assert simulator.run(schedule) is None


def test_a_seed_tells_the_same_story_every_time() -> None:
    simulator = Simulator()
    with virtual_time(simulator.clock):
        for seed in range(30):
            assert _story(simulator, draw(seed)) == _story(simulator, draw(seed))


def test_a_failing_seed_fails_again_word_for_word_whole_and_shortened() -> None:
    seed, schedule, violation, story = first_violation(range(1_000), BlindGiveBack) or pytest.fail("nothing")
    simulator = Simulator(BlindGiveBack)
    with virtual_time(simulator.clock):
        assert _story(simulator, draw(seed)) == _story(simulator, draw(seed))
        assert _story(simulator, schedule) == (str(violation), story)
    assert len(schedule.steps) < len(draw(seed).steps)


def test_nothing_can_be_taken_from_a_shortened_schedule() -> None:
    _, schedule, violation, _ = first_violation(range(1_000), SettleBeforeCommit) or pytest.fail("nothing")
    simulator = Simulator(SettleBeforeCommit)
    with virtual_time(simulator.clock):
        for at in range(len(schedule.steps)):
            less = Schedule(schedule.sale, schedule.steps[:at] + schedule.steps[at + 1 :])
            found = simulator.run(less)
            assert found is None or found.promise != violation.promise


def test_real_time_goes_on_after_a_simulation() -> None:
    clock = Simulator().clock
    before = realign.lasting_picture.__kwdefaults__, realign.SECOND_LOOKS
    with virtual_time(clock):
        assert realign.lasting_picture.__kwdefaults__ == {"sleep": clock.sleep}
    assert before == (realign.lasting_picture.__kwdefaults__, realign.SECOND_LOOKS)


def _story(simulator: Simulator, schedule: Schedule) -> tuple[str, list[str]]:
    lines: list[str] = []
    violation = simulator.run(schedule, lines)
    return str(violation), lines
