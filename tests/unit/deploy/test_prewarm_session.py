"""A whole go at prewarming a stage on AWS: schedules are moto's, Lambda and the stores are twins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from infra.commands.deploy import refuse_while_raised
from infra.commands.destroy import lower_all
from infra.deploy.account import Account
from infra.deploy.faults import Fault
from infra.deploy.stage import StageSettings, stage_settings
from infra.prewarm.asked import Refused, Wish
from infra.prewarm.session import Session

SESSION = boto3.Session("test", "test", region_name="us-east-1")
"""One for all tests: what is slow about a client is reading the model of its service."""
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EIGHT = NOON + timedelta(hours=8)
ROLE = {"PrewarmRoleArn": "arn:aws:iam::123456789012:role/prewarm", "ClusterIdentifier": "onsale-demo"}


class NotThere(Exception):
    """Lambda's ProvisionedConcurrencyConfigNotFoundException."""


class Lambda:
    """As much of Lambda as prewarming asks: an account of 1,000, and the door's alias."""

    exceptions = SimpleNamespace(ProvisionedConcurrencyConfigNotFoundException=NotThere)

    def __init__(self) -> None:
        self.amount = 0
        self.weights: dict[str, float] = {}

    def get_account_settings(self) -> dict[str, Any]:
        """Nothing is reserved."""
        return {
            "AccountLimit": {
                "ConcurrentExecutions": 1_000,
                "UnreservedConcurrentExecutions": 1_000 - self.amount,
            }
        }

    def get_function_concurrency(self, **_: str) -> dict[str, Any]:
        """None."""
        return {}

    def get_alias(self, **_: str) -> dict[str, Any]:
        """With the weights of a release that is under way."""
        return {"RoutingConfig": {"AdditionalVersionWeights": self.weights}}

    def get_provisioned_concurrency_config(self, **_: str) -> dict[str, Any]:
        """Ready at once."""
        if not self.amount:
            raise NotThere
        return {
            "RequestedProvisionedConcurrentExecutions": self.amount,
            "AvailableProvisionedConcurrentExecutions": self.amount,
            "Status": "READY",
        }

    def put_provisioned_concurrency_config(self, ProvisionedConcurrentExecutions: int, **_: str) -> None:  # noqa: N803
        """As Lambda: none of a split alias."""
        assert not self.weights, "Alias with weights can not be used with Provisioned Concurrency"
        self.amount = ProvisionedConcurrentExecutions

    def delete_provisioned_concurrency_config(self, **_: str) -> None:
        """None any more."""
        self.amount = 0


class Stores:
    """Remembers what was set last."""

    def __init__(self) -> None:
        self.cache: dict[str, Any] = {}
        self.cluster: dict[str, Any] = {}

    def modify_serverless_cache(self, **given: Any) -> None:
        """Of ElastiCache."""
        self.cache = given

    def modify_db_cluster(self, **given: Any) -> None:
        """Of RDS."""
        self.cluster = given


class Aws(Account):
    """moto, but for what it has not."""

    twins: dict[str, Any]

    def client(self, service: str) -> Any:
        """A twin where there is one."""
        return self.twins.get(service) or super().client(service)


@pytest.fixture
def account() -> Iterator[Aws]:
    with mock_aws():
        made = Aws("aws", "us-east-1", SESSION)
        stores = Stores()
        object.__setattr__(made, "twins", {"lambda": Lambda(), "elasticache": stores, "rds": stores})
        yield made


def session(account: Aws, now: datetime = NOON, **settings: Any) -> Session:
    own: StageSettings = msgspec.structs.replace(stage_settings("demo"), **settings)
    return Session(account, "demo", own, ROLE, now)


def wish(event: int = 7, concurrency: int = 500) -> Wish:
    return Wish(
        event=event,
        opens_at=EIGHT,
        concurrency=concurrency,
        before=timedelta(minutes=10),
        after=timedelta(minutes=30),
    )


def scheduled(account: Aws) -> list[tuple[str, int]]:
    found = account.client("application-autoscaling").describe_scheduled_actions(ServiceNamespace="lambda")
    return sorted(
        (each["Schedule"], each["ScalableTargetAction"]["MinCapacity"]) for each in found["ScheduledActions"]
    )


def stores_scheduled(account: Aws) -> int:
    return len(account.client("scheduler").list_schedules()["Schedules"])


def test_a_plan_changes_nothing(account: Aws) -> None:
    done = session(account).plan(wish())
    assert done.said[0] == "event 7: 500 from 2026-11-28 19:50 until 2026-11-28 20:30 UTC"
    assert scheduled(account) == []


def test_a_schedule_is_kept_by_aws_and_said(account: Aws) -> None:
    done = session(account).schedule(wish(), stores=False)
    assert [amount for _, amount in scheduled(account)] == [500, 0, 0]
    assert any("--stores raises both" in said for said in done.said)
    assert any("No deployment while it is raised" in said for said in done.said)
    assert stores_scheduled(account) == 0


def test_more_than_the_account_has_is_refused_and_nothing_is_scheduled(account: Aws) -> None:
    with pytest.raises(Refused, match="Service Quotas"):
        session(account).schedule(wish(concurrency=901), stores=True)
    assert (scheduled(account), stores_scheduled(account)) == ([], 0)


def test_two_events_that_overlap_are_checked_together(account: Aws) -> None:
    session(account).schedule(wish(7, 500), stores=False)
    with pytest.raises(Refused, match="1,000 of onsale-demo"):
        session(account).schedule(wish(8, 500), stores=False)


def test_a_split_alias_is_not_raised_now_and_nothing_is_left_behind(account: Aws) -> None:
    account.client("lambda").weights = {"4": 0.1}
    with pytest.raises(Refused, match="a deployment is under way"):
        session(account, EIGHT).raise_now(wish(), stores=False)
    assert scheduled(account) == []


def test_raised_now_it_is_lowered_by_schedule_and_gone_when_lowered_by_hand(account: Aws) -> None:
    assert session(account, EIGHT).raise_now(wish(), stores=False).amount == 500
    assert account.client("lambda").amount == 500
    assert scheduled(account) == [("at(2026-11-28T20:30:00)", 0), ("at(2026-11-28T20:45:00)", 0)]
    assert session(account, EIGHT + timedelta(minutes=1)).lower(None).amount == 0
    assert account.client("lambda").amount == 0
    assert scheduled(account) == []


def test_the_stores_are_scheduled_with_the_door_and_lowered_with_it(account: Aws) -> None:
    settings: dict[str, Any] = {"ecpu_maximum": 1_000_000, "maximum_acu": 64.0}
    session(account, **settings).schedule(wish(), stores=True)
    assert stores_scheduled(account) == 6
    session(account, EIGHT, **settings).lower(7)
    assert stores_scheduled(account) == 0
    stores = account.client("rds")
    assert stores.cache["CacheUsageLimits"]["ECPUPerSecond"]["Minimum"] == 1_000
    assert stores.cluster["DBClusterIdentifier"] == "onsale-demo"
    assert stores.cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0.5


def test_stores_are_raised_at_once_only_with_their_lowering_scheduled(account: Aws) -> None:
    session(account, EIGHT, ecpu_maximum=1_000_000, maximum_acu=64.0).raise_now(wish(), stores=True)
    assert account.client("rds").cache["CacheUsageLimits"]["ECPUPerSecond"]["Minimum"] > 1_000
    assert stores_scheduled(account) == 4


def test_a_crowd_beyond_the_stage_s_stores_is_refused_before_anything_is_scheduled(account: Aws) -> None:
    with pytest.raises(Refused, match="set ecpu_maximum"):
        session(account, ecpu_maximum=1_000).schedule(wish(concurrency=900), stores=True)
    assert (scheduled(account), stores_scheduled(account)) == ([], 0)


def test_without_a_role_that_lowers_them_stores_are_not_raised(account: Aws) -> None:
    bare = Session(account, "demo", stage_settings("demo"), {}, NOON)
    with pytest.raises(Fault, match="PrewarmRoleArn"):
        bare.schedule(wish(10), stores=True)
    assert scheduled(account) == []


def test_nothing_is_raised_before_the_window_and_after_it_and_in_between_it_says_until_when(
    account: Aws,
) -> None:
    session(account).schedule(wish(), stores=False)
    assert session(account).raised_until() is None
    during = EIGHT + timedelta(minutes=5)
    assert session(account, during).raised_until() == EIGHT + timedelta(minutes=30)
    assert session(account, EIGHT + timedelta(hours=1)).raised_until() is None


def test_no_deployment_goes_on_while_the_stage_is_prewarmed(account: Aws) -> None:
    session(account).schedule(wish(), stores=False)
    refuse_while_raised(session(account))
    with pytest.raises(Fault, match=r"prewarmed until 2026-11-28 20:30 UTC.*prewarm --stage demo --lower"):
        refuse_while_raised(session(account, EIGHT))


def test_a_stage_that_is_destroyed_leaves_no_schedule(account: Aws) -> None:
    session(account).schedule(wish(), stores=True)
    said: list[str] = []
    lower_all(session(account), said.append)
    assert (scheduled(account), stores_scheduled(account), said) == ([], 0, ["Lowered."])


def test_where_nothing_is_scheduled_a_destruction_has_nothing_to_lower(account: Aws) -> None:
    said: list[str] = []
    lower_all(session(account), said.append)
    assert said == []
