"""The calls to AWS as such, against moto: without an endpoint of their own, and what a stage shows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from infra.deploy.account import Account, at_endpoint, on_aws
from infra.deploy.bring import Manner, Wish, bring, remove
from infra.deploy.stacks import Stacks
from infra.deploy.standing import as_text, standing

pytestmark = pytest.mark.slow


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account of moto's, looked at as often as one on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield Account("emulator", "eu-central-1", boto3.Session(region_name="eu-central-1"))


def wish(seconds: int = 30) -> Wish:
    properties = {"QueueName": "onsale-demo-orders", "VisibilityTimeout": seconds}
    document = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": properties}},
        "Outputs": {"OrderQueueUrl": {"Value": {"Ref": "Orders"}}},
    }
    body = {"TemplateBody": json.dumps(document)}
    return Wish("onsale-demo-foundation", body, {"Stage": "demo"}, {"stage": "demo"}, protected=False)


def test_a_stack_is_created_left_alone_changed_and_removed(account: Account) -> None:
    stacks, told = Stacks(account), Manner(lambda _: None)
    assert bring(stacks, wish(), told)
    assert not bring(stacks, wish(), told)
    assert bring(stacks, wish(31), told)
    look = stacks.look("onsale-demo-foundation")
    assert look is not None
    assert (look.status, look.parameters) == ("UPDATE_COMPLETE", {"Stage": "demo"})
    remove(stacks, look, told)
    assert stacks.look("onsale-demo-foundation") is None


def test_a_stage_shows_what_is_there_and_what_is_not(account: Account) -> None:
    bring(Stacks(account), wish(), Manner(lambda _: None))
    found = standing(account, "demo")
    assert [(each.name, each.status) for each in found.stacks] == [
        ("onsale-artifacts", None),
        ("onsale-demo-foundation", "CREATE_COMPLETE"),
        ("onsale-demo-service", None),
    ]
    assert found.functions == ()
    assert [(each.name, each.waiting) for each in found.queues] == [("onsale-demo-orders", 0)]
    assert "onsale-demo-service         not there" in as_text(found)


def test_the_account_is_told_by_its_number(account: Account) -> None:
    assert on_aws("eu-central-1", None).who() == "123456789012"


def test_cloudformation_reads_an_object_where_it_is(account: Account) -> None:
    on_the_real_one = on_aws("eu-central-1", None).object_url("bucket", "code/a.zip")
    assert on_the_real_one == "https://bucket.s3.eu-central-1.amazonaws.com/code/a.zip"
    near = at_endpoint("emulator", "http://127.0.0.1:4566").object_url("bucket", "code/a.zip")
    assert near == "http://127.0.0.1:4566/bucket/code/a.zip"
