"""The doctor looking at an account (moto's): what is wrong there is found, and a healthy one passes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from infra.deploy.account import Account
from infra.deploy.names import ARTIFACTS, Names
from infra.deploy.stage import stage_settings
from infra.doctor import look
from infra.doctor.examination import of_account
from infra.doctor.findings import Finding, State

SESSION = boto3.Session("test", "test", region_name="us-east-1")
"""One for all tests: what is slow about a client is reading the model of its service."""
NAMES = Names("demo")
SECRET = "onsale/demo/payment"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": NAMES.orders}}


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account("aws", "us-east-1", SESSION)


def examined(account: Account) -> dict[str, Finding]:
    return {each.what: each for each in of_account(NAMES, account, stage_settings("demo"))}


def make_stack(account: Account, name: str, resources: dict[str, object]) -> None:
    template = json.dumps({"Resources": resources})
    account.client("cloudformation").create_stack(StackName=name, TemplateBody=template)


def test_an_account_that_is_ready_for_its_first_deployment_passes(account: Account) -> None:
    assert [each for each in examined(account).values() if each.state is State.BAD] == []


def test_everything_is_looked_at_in_the_order_of_a_deployment(account: Account) -> None:
    assert list(examined(account)) == [
        "credentials",
        "region",
        "quota L-B99A9384",
        "quota L-8A5B8E43",
        "quota L-F678F1CE",
        ARTIFACTS,
        NAMES.foundation,
        NAMES.service,
        "names",
        "secrets",
        "service",
    ]


def test_vpcs_are_counted_against_their_quota(account: Account) -> None:
    ec2 = account.client("ec2")
    assert examined(account)["quota L-F678F1CE"].state is State.GOOD
    for n in range(5):
        ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")
    assert examined(account)["quota L-F678F1CE"].state is State.BAD


def test_a_queue_that_no_stack_has_made_takes_its_name(account: Account) -> None:
    account.client("sqs").create_queue(QueueName=NAMES.orders)
    found = examined(account)["names"]
    assert found.state is State.BAD
    assert NAMES.orders in found.said


def test_a_queue_of_the_stage_s_own_stack_takes_no_name(account: Account) -> None:
    make_stack(account, NAMES.foundation, {"Orders": QUEUE})
    found = examined(account)
    assert found["names"].state is State.GOOD
    assert found[NAMES.foundation].state is State.GOOD


def test_a_secret_that_is_being_deleted_still_takes_its_name(account: Account) -> None:
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString="x")
    secrets.delete_secret(SecretId=SECRET, RecoveryWindowInDays=7)
    assert SECRET in examined(account)["names"].said


def test_a_secret_with_the_value_that_was_made_up_is_told(account: Account) -> None:
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString="made up")
    assert examined(account)["secrets"].state is State.NOTE
    secrets.put_secret_value(SecretId=SECRET, SecretString="the provider's")
    assert examined(account)["secrets"].state is State.GOOD


def test_credentials_that_are_missing_end_the_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = examined(Account("aws", "us-east-1", boto3.Session(region_name="us-east-1")))
    assert list(found) == ["credentials"]
    assert found["credentials"].state is State.BAD
    assert "Sign in" in found["credentials"].said


def test_a_stack_that_is_not_there_says_nothing_of_itself(account: Account) -> None:
    assert look.outputs(account, NAMES.service) == {}
    assert look.stack_status(account, NAMES.service) == (None, False)
