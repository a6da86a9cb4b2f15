"""What `destroy` refuses, and what it says stays; the calls are moto's."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from infra.deploy.account import Account
from infra.deploy.bring import Manner
from infra.deploy.destroying import destroy_artifacts, logs_left, refusal, remaining_stages, snapshots_of
from infra.deploy.faults import Fault
from infra.deploy.stacks import Look

SILENT = Manner(lambda _: None)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield Account("aws", "eu-central-1", boto3.Session(region_name="eu-central-1"))


def look(name: str, *, protected: bool) -> Look:
    return Look(name, f"arn:{name}", "CREATE_COMPLETE", "", protected)


def stack(account: Account, name: str) -> None:
    body = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
    account.client("cloudformation").create_stack(StackName=name, TemplateBody=body)


def test_a_protected_stage_is_refused_with_how_to_unprotect_it() -> None:
    said = refusal("prod", [], protected=True)
    assert said
    assert "Stage prod is protected" in said
    assert "protected = false" in said


def test_a_stack_with_termination_protection_is_refused_whatever_the_settings_say() -> None:
    said = refusal("demo", [look("a", protected=False), look("b", protected=True)], protected=False)
    assert said
    assert said.startswith("b has termination protection.")


def test_a_stage_without_protection_is_not_refused() -> None:
    assert refusal("demo", [look("a", protected=False)], protected=False) is None


@pytest.mark.slow
def test_the_bucket_of_artifacts_stays_while_a_stage_is_left(account: Account) -> None:
    for name in ("onsale-artifacts", "onsale-demo-foundation", "onsale-prod-service", "another-foundation"):
        stack(account, name)
    assert remaining_stages(account) == ["demo", "prod"]
    with pytest.raises(Fault, match="onsale-artifacts stays: stage demo, prod is deployed from it"):
        destroy_artifacts(account, SILENT)


def test_log_groups_of_the_stage_are_named_and_of_no_other(account: Account) -> None:
    logs = account.client("logs")
    for name in ("onsale-demo-fulfil", "onsale-demo2-fulfil", "onsale-demo-else"):
        logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    assert logs_left(account, "demo") == ["/aws/lambda/onsale-demo-fulfil"]


def test_the_last_snapshot_of_a_cluster_is_named(account: Account) -> None:
    rds = account.client("rds")
    cluster = {"Engine": "aurora-postgresql", "MasterUsername": "onsale", "MasterUserPassword": "x" * 12}
    rds.create_db_cluster(DBClusterIdentifier="onsale-demo", **cluster)
    rds.create_db_cluster_snapshot(DBClusterIdentifier="onsale-demo", DBClusterSnapshotIdentifier="last-one")
    resources = [
        {"ResourceType": "AWS::RDS::DBCluster", "PhysicalResourceId": "onsale-demo"},
        {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": "q"},
    ]
    assert snapshots_of(account, resources) == ["last-one"]
