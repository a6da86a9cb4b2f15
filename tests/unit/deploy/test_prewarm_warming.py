"""Raising and lowering against the schedules that AWS keeps (moto's): whatever fails, nothing stays on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.prewarm import stores
from infra.prewarm.agendas import Agenda, apply
from infra.prewarm.provisioned import State
from infra.prewarm.scaling import Scaling
from infra.prewarm.scheduler import Scheduler
from infra.prewarm.warming import Target, lower, raise_now, schedule, standing
from infra.prewarm.windows import Action, Changes, around, changes, from_now, level

SESSION = boto3.Session("test", "test", region_name="us-east-1")
"""One for all tests: what is slow about a client is reading the model of its service."""
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EIGHT = NOON + timedelta(hours=8)
SOON = around(7, EIGHT, timedelta(minutes=10), timedelta(minutes=30), 500)
OTHER = around(8, EIGHT, timedelta(minutes=10), timedelta(minutes=60), 90)


class Alias:
    """As much as was asked for, at once. It can stop working, as AWS can."""

    def __init__(self) -> None:
        self.amount = 0
        self.calls: Callable[[], None] = lambda: None

    def state(self) -> State:
        """Now."""
        return State(asked=self.amount, there=self.amount, settled=True)

    def ask(self, amount: int) -> None:
        """At once."""
        self.calls()
        self.amount = amount


class Failing:
    """A client whose call number `last` and all later ones fail."""

    def __init__(self, client: Any, last: int) -> None:
        self._client, self._left = client, last

    def count(self) -> None:
        """Fails when there were enough."""
        self._left -= 1
        if self._left < 0:
            raise ConnectionError("lost")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not name.startswith(("put_", "delete_", "register_", "deregister_")):
            return found

        def call(**given: Any) -> Any:
            self.count()
            return found(**given)

        return call


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield SESSION.client("application-autoscaling")


@pytest.fixture
def target(client: Any) -> Target:
    return Target(alias=Alias(), scaling=Scaling(client, "onsale-demo", "live"))


def scaling_of(target: Target) -> Agenda:
    assert target.scaling is not None
    return target.scaling


def test_a_schedule_raises_and_lowers_at_its_times_to_exactly_its_amounts(
    client: Any, target: Target
) -> None:
    schedule(target, SOON, NOON)
    found = client.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
    assert {(each["Schedule"], *each["ScalableTargetAction"].values()) for each in found} == {
        ("at(2026-11-28T19:50:00)", 500, 500),
        ("at(2026-11-28T20:30:00)", 0, 0),
        ("at(2026-11-28T20:45:00)", 0, 0),
    }
    assert {each["ResourceId"] for each in found} == {"function:onsale-demo:live"}


def test_registering_changes_nothing_that_is_provisioned(client: Any, target: Target) -> None:
    target.alias.ask(700)
    schedule(target, SOON, NOON)
    (registered,) = client.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    assert (registered["MinCapacity"], registered["MaxCapacity"]) == (0, 700)


def test_a_second_time_nothing_is_put(client: Any, target: Target) -> None:
    schedule(target, SOON, NOON)
    quiet = Target(alias=Alias(), scaling=Scaling(Failing(client, 1), "onsale-demo", "live"))
    assert schedule(quiet, SOON, NOON) == (SOON,)


def test_the_schedule_alone_remembers_every_event(target: Target) -> None:
    schedule(target, SOON, NOON)
    schedule(target, OTHER, NOON)
    assert set(standing(target, NOON)) == {SOON, OTHER}


def test_raising_now_asks_for_what_all_events_need_and_schedules_its_lowering(target: Target) -> None:
    schedule(target, OTHER, NOON)
    half_past = EIGHT + timedelta(minutes=5)
    assert raise_now(target, from_now(7, 500, half_past, EIGHT + timedelta(hours=1)), half_past) == 590
    assert target.alias.state().asked == 590
    later = sorted(action.at for action in scaling_of(target).there().values() if action.amount == 0)
    assert later[-1] > half_past


def test_lowering_ends_one_event_and_leaves_what_others_need(target: Target) -> None:
    schedule(target, OTHER, NOON)
    schedule(target, SOON, NOON)
    during = EIGHT + timedelta(minutes=1)
    target.alias.ask(590)
    assert lower(target, 7, during) == 90
    assert target.alias.state().asked == 90
    assert standing(target, during) == (OTHER,)


def test_lowering_the_last_leaves_neither_schedule_nor_target(client: Any, target: Target) -> None:
    schedule(target, SOON, NOON)
    target.alias.ask(500)
    assert lower(target, None, EIGHT) == 0
    assert target.alias.state().asked == 0
    assert client.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []
    assert client.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"] == []


def test_lowering_where_nothing_was_raised_is_no_error(target: Target) -> None:
    assert lower(target, 7, NOON) == 0


def test_an_emulator_has_no_schedule_and_is_raised_and_lowered_by_hand() -> None:
    target = Target(alias=Alias(), scaling=None)
    assert raise_now(target, SOON, NOON) == 500
    assert lower(target, 7, NOON) == 0
    assert target.alias.state().asked == 0


def stays_on(target: Target, now: datetime) -> bool:
    """Whether anything raised, or to be raised, is never lowered."""
    there = scaling_of(target).there().values()
    last = max(there, key=lambda action: action.at, default=None)
    lowered = last is not None and last.amount == 0 and last.at > now
    return (target.alias.state().asked > 0 or any(action.amount for action in there)) and not lowered


def struck(client: Any, last: int, does: Callable[[Target], object]) -> Target | None:
    """The account after `does` has failed at its call number `last`; None when it got through."""
    failing = Failing(client, last)
    alias = Alias()
    alias.calls = failing.count
    try:
        does(Target(alias=alias, scaling=Scaling(failing, "onsale-demo", "live")))
    except ConnectionError:
        return Target(alias=alias, scaling=Scaling(client, "onsale-demo", "live"))
    return None


@pytest.mark.parametrize("last", range(12))
def test_whichever_call_fails_whatever_is_raised_is_lowered(client: Any, last: int) -> None:
    soon = from_now(7, 500, NOON, EIGHT)
    for does in (lambda target: schedule(target, SOON, NOON), lambda target: raise_now(target, soon, NOON)):
        after = struck(client, last, does)
        assert after is None or not stays_on(after, NOON)


@pytest.mark.parametrize("last", range(12))
def test_whichever_call_fails_while_lowering_nothing_is_left_on(client: Any, last: int) -> None:
    def raised_then_lowered(target: Target) -> None:
        steady = Target(alias=Alias(), scaling=Scaling(client, "onsale-demo", "live"))
        schedule(steady, SOON, NOON)
        target.alias.amount = 500  # type: ignore[attr-defined]
        lower(target, None, EIGHT - timedelta(minutes=5))

    after = struck(client, last, raised_then_lowered)
    assert after is None or not stays_on(after, EIGHT - timedelta(minutes=5))


def test_what_raises_first_is_caught(client: Any) -> None:
    def recklessly(target: Target) -> None:
        target.alias.ask(500)
        schedule(target, SOON, NOON)

    after = struck(client, 2, recklessly)
    assert after is not None
    assert stays_on(after, NOON)


def test_what_forgets_the_schedule_before_it_lowers_is_caught(client: Any, target: Target) -> None:
    schedule(target, SOON, NOON)
    target.alias.ask(500)
    scaling_of(target).deregister()
    apply(scaling_of(target), Changes(put=(), delete=tuple(scaling_of(target).there())))
    assert stays_on(target, EIGHT)


BOUNDS = stores.Bounds(least=stores.Stores(ecpu=0, half_acu=4), most=stores.Stores(ecpu=90_000, half_acu=128))


def test_a_store_is_raised_and_lowered_by_eventbridge_scheduler(client: Any) -> None:
    scheduler = SESSION.client("scheduler")
    agenda = Scheduler(
        scheduler,
        "onsale-demo-ecpu",
        "arn:aws:iam::123456789012:role/onsale-demo-prewarm",
        stores.ECPU_CALL,
        lambda ecpu: stores.cache_call("onsale-demo", BOUNDS, ecpu),
    )
    apply(agenda, changes({}, [SOON], NOON))
    there = agenda.there()
    assert len(there) == 3
    assert changes(there, [SOON], NOON) == Changes(put=(), delete=())
    found = [
        scheduler.get_schedule(Name=each["Name"])
        for each in scheduler.list_schedules(NamePrefix="onsale-demo-ecpu")["Schedules"]
    ]
    assert {each["ActionAfterCompletion"] for each in found} == {"DELETE"}
    assert {each["Target"]["Arn"] for each in found} == {
        "arn:aws:scheduler:::aws-sdk:elasticache:modifyServerlessCache"
    }
    apply(agenda, changes(there, [], NOON))
    assert agenda.there() == {}


def test_a_store_that_is_lowered_has_what_its_stage_has_always() -> None:
    assert stores.cluster_call("c", BOUNDS, 0)["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 2.0
    assert stores.cache_call("c", BOUNDS, 0)["CacheUsageLimits"]["EcpuPerSecond"]["Minimum"] == 1_000


def test_a_store_is_never_asked_for_more_than_its_stage_may_have() -> None:
    limits = stores.cache_call("c", BOUNDS, 10_000_000)["CacheUsageLimits"]["EcpuPerSecond"]
    assert limits == {"Minimum": 90_000, "Maximum": 90_000}


def test_a_crowd_that_the_stage_may_not_grow_for_is_told_which_setting_to_raise() -> None:
    need = stores.needed(100_000, 100_000, 10)
    assert need.ecpu > 90_000
    assert (stores.beyond(need, BOUNDS) or "").startswith("The stores may not grow so far: set ecpu_maximum")
    assert stores.beyond(stores.needed(100, 100, 10), BOUNDS) is None


def test_a_schedule_is_the_level_at_every_time() -> None:
    action = Action(name="x", at=SOON.raise_at, amount=level([SOON, OTHER], SOON.raise_at))
    assert action.amount == 590
