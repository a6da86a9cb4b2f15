"""Which faults meet, and when: the same for the same seed, and never one that cannot be done."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from infra.chaos.schedule import TO_STORES, TOGETHER_SECONDS, Kind, schedule

SEEDS = range(25)


def test_the_same_seed_is_the_same_schedule() -> None:
    assert schedule(7, 45) == schedule(7, 45)


def test_seeds_differ() -> None:
    assert len({schedule(seed, 45) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_strikes_and_workers_die_several_times(seed: int) -> None:
    times = Counter(strike.kind for strike in schedule(seed, 45))
    assert times.keys() == set(Kind)
    assert times[Kind.KILL_WORKER] > 2


@pytest.mark.parametrize("over_seconds", [6, 45, 600])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_fault_strikes_while_the_crowd_is_there_in_order_of_time(seed: int, over_seconds: int) -> None:
    moments = [strike.at_seconds for strike in schedule(seed, over_seconds)]
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] < over_seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_some_faults_meet(seed: int) -> None:
    moments = [strike.at_seconds for strike in schedule(seed, 45)]
    assert any(later - earlier <= TOGETHER_SECONDS for earlier, later in pairwise(moments))


@pytest.mark.parametrize("kinds", TO_STORES)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_store_is_struck_again_before_it_can_be_back(seed: int, kinds: tuple[Kind, ...]) -> None:
    moments = [strike.at_seconds for strike in schedule(seed, 45) if strike.kind in kinds]
    assert all(later - earlier > 5 for earlier, later in pairwise(moments))
