"""A sharded gate keeps its promises whatever chance does, and the same judge catches those that do not."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from infra.capacity.judge import broken
from infra.capacity.sharded_sale import Crowd, simulate
from infra.capacity.shards import Answer, Shard
from infra.capacity.stealing import Caller, Callers, Policy, Script, Terms

ROUGH = Crowd(hot_share=0.5, death=0.2, return_share=0.1)
"""Half of the crowd at one shard, thieves that die, tickets that come back."""


def any_crowd(seed: int) -> Crowd:
    chance = Random(seed)
    return Crowd(
        seed=seed,
        tickets=chance.choice((20, 100, 400)),
        attempts=1_000,
        seconds=0.5,
        shards=chance.choice((2, 5, 16)),
        hot_share=chance.choice((0.0, 0.3, 0.8)),
        round_trip_ms=chance.choice((0.5, 2.0, 8.0)),
        death=chance.choice((0.0, 0.1, 0.4)),
        return_share=chance.choice((0.0, 0.1, 0.4)),
        return_ms=100.0,
    )


@pytest.mark.parametrize("seed", range(25))
def test_no_crowd_makes_a_sharded_gate_oversell_strand_or_lie(seed: int) -> None:
    outcome = simulate(any_crowd(seed))
    assert broken(outcome) == []
    assert sum(outcome.answers.values()) + outcome.died == 1_000


@pytest.mark.parametrize("seed", range(5))
def test_a_flag_that_lives_for_a_moment_is_no_more_false(seed: int) -> None:
    assert broken(simulate(any_crowd(seed), terms=Terms(sold_out_ms=30.0))) == []


def test_everything_is_sold_however_the_demand_is_skewed() -> None:
    for hot_share in (0.0, 0.5, 0.9):
        outcome = simulate(Crowd(hot_share=hot_share))
        assert outcome.unsold == 0
        assert outcome.late_refusals == 0
        assert outcome.fairness > 0.5


def test_control_without_stealing_buyers_are_refused_while_tickets_lie_elsewhere() -> None:
    outcome = simulate(Crowd(hot_share=0.9, attempts=4_000), Policy.NONE)
    assert broken(outcome) == ["sold out is true"]
    assert outcome.false_refusals > 1_000
    assert outcome.unsold > 1_000
    assert outcome.fairness < 0.2
    assert simulate(Crowd(hot_share=0.9, attempts=4_000)).unsold == 0


def test_control_a_thief_that_adds_before_it_takes_oversells() -> None:
    outcome = simulate(ROUGH, Policy.ADD_FIRST)
    assert "no oversell" in broken(outcome)
    assert outcome.oversold > 0


def test_control_it_oversells_even_when_nobody_dies() -> None:
    assert "no oversell" in broken(simulate(Crowd(), Policy.ADD_FIRST))


def test_control_a_thief_that_leaves_no_note_strands_tickets_when_it_dies() -> None:
    assert "no stranded ticket" in broken(simulate(ROUGH, Policy.UNRECORDED))


def test_control_stocks_alone_do_not_say_that_all_is_sold() -> None:
    assert "sold out is true" in broken(simulate(ROUGH, Policy.STOCK_ONLY))


def test_what_dead_thieves_held_is_back_on_sale_in_the_end() -> None:
    outcome = simulate(ROUGH)
    assert outcome.died > 0
    assert outcome.stranded == 0
    assert broken(outcome) == []


def test_no_slot_is_asked_much_more_often_than_its_buyers_ask() -> None:
    even = simulate(Crowd())
    assert even.commands_a_second < 1.5 * 12_000 / 2.0 / 8  # attempts a second of one shard


def test_the_same_seed_is_the_same_sale() -> None:
    assert simulate(ROUGH) == simulate(ROUGH)


def test_a_transfer_arrives_once_however_often_it_is_added() -> None:
    victim, thief = Shard(10), Shard(0)
    moved = victim.take("a", 1, missing=1, share=0.5, now_ms=0.0)
    assert (victim.stock, victim.look(0.0).moving) == (5, 5)
    assert thief.add("a", moved)
    assert not thief.add("a", moved)  # a slow thief, after somebody has finished its transfer
    victim.forget("a")
    assert (victim.stock, thief.stock, victim.look(0.0).moving) == (5, 5, 0)


def asked_of(shards: list[Shard], scripts: list[Script]) -> list[Any]:
    return [script(shards[number], 0.0) for number, script in scripts]


def answer_of(caller: Caller, shards: list[Shard], results: list[Any]) -> Any:
    """Serves a caller, which never pauses, to its end."""
    while True:
        try:
            asked = caller.send(results)
        except StopIteration as end:
            return end.value
        assert isinstance(asked, list)
        results = asked_of(shards, asked)


@pytest.mark.parametrize(
    ("policy", "heard"), [(Policy.TWO_STEP, Answer.GRANTED), (Policy.ONE_LOOK, Answer.SOLD_OUT)]
)
def test_tickets_that_move_between_the_looks_are_found_by_the_second_one(
    policy: Policy, heard: Answer
) -> None:
    """The second case is the control: one look tells a buyer that five tickets for sale are sold."""
    shards = [Shard(0), Shard(5), Shard(0)]
    caller = Callers(3, policy, Terms(), lambda: False).attempt(2, 1)
    first = next(caller)
    assert isinstance(first, list)
    looks = caller.send(asked_of(shards, first))
    assert isinstance(looks, list)
    seen = asked_of(shards, looks[:1])  # shard 0 is empty, and then gets all that shard 1 has
    moved = shards[1].take("other", 0, missing=5, share=1.0, now_ms=0.0)
    shards[0].add("other", moved)
    shards[1].forget("other")
    results = seen + asked_of(shards, looks[1:])
    assert answer_of(caller, shards, results) is heard
