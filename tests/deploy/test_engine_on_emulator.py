"""The engine against a real CloudFormation: creation, repetition, change, failure, roll-back, destruction.

The templates are small ones of these tests; that the service's own deploy so is proven elsewhere.
"""

from __future__ import annotations

import json
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.deploy.account import Account, at_endpoint, in_localstack
from infra.deploy.bring import Manner, Wish, bring, remove
from infra.deploy.destroying import destroy, refusal, remaining_stages, stacks_of
from infra.deploy.failure import Failed
from infra.deploy.faults import Fault, explained
from infra.deploy.names import Names
from infra.deploy.stacks import Stacks
from infra.emulator import aws
from infra.local.layout import free_port
from tests.support.parts import running
from tests.support.sqs import skip_without_localstack
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


@pytest.fixture(scope="module")
def emulated() -> Iterator[Account]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running(aws.part(Path(folder), port), Path(folder)):
        yield at_endpoint("emulator", aws.url(port))


class Shop:
    """A stage of its own name with one small stack in the foundation's place."""

    def __init__(self, account: Account) -> None:
        """Makes nothing yet."""
        self.account, self.stacks = account, Stacks(account)
        self.names = Names(f"t{uuid4().hex[:8]}")
        self.stack = self.names.foundation
        self.told: list[str] = []

    def bring(self, template: dict[str, Any], *, protected: bool = False, **manner: bool) -> bool:
        """Whether anything changed."""
        wish = Wish(self.stack, {"TemplateBody": json.dumps(template)}, {}, {"stage": "t"}, protected)
        return bring(self.stacks, wish, Manner(self.told.append, **manner))  # type: ignore[arg-type]

    def template(self, seconds: int = 30, /, **more: dict[str, Any]) -> dict[str, Any]:
        """One queue, and what more there is to be."""
        properties = {"QueueName": self.names.orders, "VisibilityTimeout": seconds}
        queue = {"Type": "AWS::SQS::Queue", "Properties": properties}
        return {"Resources": {"Orders": queue, **more}, "Outputs": {"Url": {"Value": {"Ref": "Orders"}}}}

    def status(self) -> str | None:
        """Of the stack; None when it is not there."""
        look = self.stacks.look(self.stack)
        return look.status if look else None

    def seconds(self) -> int:
        """The queue's visibility timeout as it really is."""
        sqs = self.account.client("sqs")
        url = sqs.get_queue_url(QueueName=self.names.orders)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        return int(found["Attributes"]["VisibilityTimeout"])

    def close(self) -> None:
        """Leaves nothing behind."""
        if look := self.stacks.look(self.stack):
            if look.protected:
                self.stacks.protect(self.stack, on=False)
            remove(self.stacks, look, Manner(self.told.append))

    def taken(self) -> str:
        """A bucket of a name that nobody else can have any more."""
        bucket = f"taken-{uuid4().hex}"
        self.account.client("s3").create_bucket(Bucket=bucket)
        return bucket


@pytest.fixture
def shop(emulated: Account) -> Iterator[Shop]:
    made = Shop(emulated)
    yield made
    made.close()


@pytest.fixture(params=["emulator", "localstack"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop on each of the two CloudFormations that are at hand."""
    if request.param == "localstack":
        skip_without_localstack()
    account = in_localstack(None) if request.param == "localstack" else request.getfixturevalue("emulated")
    made = Shop(account)
    yield made
    made.close()


def bucket(name: str | dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "DependsOn": "Orders", "Properties": {"BucketName": name}}


def without_code() -> dict[str, Any]:
    code = {"S3Bucket": f"nosuch-{uuid4().hex}", "S3Key": "code.zip"}
    role = "arn:aws:iam::000000000000:role/any"
    properties = {"Runtime": "python3.13", "Handler": "app.app", "Role": role, "Code": code}
    return {"Type": "AWS::Lambda::Function", "DependsOn": "Orders", "Properties": properties}


def only_known_late(shop: Shop) -> dict[str, dict[str, Any]]:
    """A bucket whose name is taken, which CloudFormation finds out only when it makes it."""
    name = shop.taken()
    late = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}
    return {"Late": late, "Bucket": bucket({"Fn::GetAtt": ["Late", "QueueName"]})}


def test_a_stack_is_created_and_its_progress_told(anywhere: Shop) -> None:
    shop = anywhere
    assert shop.bring(shop.template())
    assert shop.status() == "CREATE_COMPLETE"
    assert "  + Orders  AWS::SQS::Queue" in shop.told
    assert any("CREATE_COMPLETE" in line and "Orders" in line for line in shop.told)


def test_a_second_deploy_without_change_does_nothing(anywhere: Shop) -> None:
    shop = anywhere
    shop.bring(shop.template())
    before = len(shop.stacks.events(shop.stack))
    assert not shop.bring(shop.template())
    assert shop.told[-1] == f"{shop.stack}: no changes"
    assert len(shop.stacks.events(shop.stack)) == before


def test_a_change_is_carried_out(anywhere: Shop) -> None:
    shop = anywhere
    shop.bring(shop.template(30))
    assert shop.bring(shop.template(31))
    assert shop.status() == "UPDATE_COMPLETE"
    assert shop.seconds() == 31


def test_what_is_destroyed_is_gone(anywhere: Shop) -> None:
    shop = anywhere
    shop.bring(shop.template())
    assert shop.names.stage in remaining_stages(shop.account)
    destroy(shop.account, stacks_of(shop.account, shop.names.stage), Manner(shop.told.append))
    assert shop.status() is None
    assert shop.names.stage not in remaining_stages(shop.account)
    with pytest.raises(ClientError, match=r"NonExistentQueue|does not exist"):
        shop.seconds()


def test_to_destroy_what_is_not_there_is_no_error(anywhere: Shop) -> None:
    assert stacks_of(anywhere.account, anywhere.names.stage) == []


def test_a_change_that_fails_is_rolled_back_and_its_cause_said(shop: Shop) -> None:
    shop.bring(shop.template(30))
    with pytest.raises(Failed) as raised:
        shop.bring(shop.template(31, **only_known_late(shop)))
    # The emulator calls it UPDATE_FAILED, AWS CREATE_FAILED.
    said = rf"Bucket \(AWS::S3::Bucket\) of {shop.stack} could not be (created|updated): .* already exists"
    assert re.match(said, str(raised.value))
    assert "was put back as it was before" in str(raised.value)
    assert (shop.status(), shop.seconds()) == ("UPDATE_ROLLBACK_COMPLETE", 30)


def test_what_was_rolled_back_can_be_deployed_again(shop: Shop) -> None:
    shop.bring(shop.template(30))
    with pytest.raises(Failed):
        shop.bring(shop.template(31, **only_known_late(shop)))
    assert shop.bring(shop.template(32))
    assert (shop.status(), shop.seconds()) == ("UPDATE_COMPLETE", 32)


def test_what_is_refused_before_it_begins_is_said_with_the_resource(shop: Shop) -> None:
    shop.bring(shop.template(30))
    with pytest.raises(Failed, match=r"Bucket \(AWS::S3::Bucket\) .* already exists") as raised:
        shop.bring(shop.template(31, Bucket=bucket(shop.taken())))
    assert "DescribeEvents" not in str(raised.value)
    assert shop.seconds() == 30


def test_a_first_creation_that_failed_is_cleared_away_and_made_anew(shop: Shop) -> None:
    with pytest.raises(Failed, match="was removed again"):
        shop.bring(shop.template(**only_known_late(shop)))
    assert shop.status() == "ROLLBACK_COMPLETE"
    assert shop.bring(shop.template())
    assert any("its first creation failed (ROLLBACK_COMPLETE)" in line for line in shop.told)
    assert shop.status() == "CREATE_COMPLETE"


@pytest.mark.parametrize("anywhere", ["localstack"], indirect=True)
def test_a_stack_that_lived_is_not_deleted_whatever_its_status_says(anywhere: Shop) -> None:
    """LocalStack ends a failed update in the status of a failed creation."""
    shop = anywhere
    shop.bring(shop.template(30))
    first = shop.stacks.look(shop.stack)
    with pytest.raises(Failed):
        shop.bring(shop.template(31, Function=without_code()))
    assert shop.status() == "ROLLBACK_COMPLETE"
    shop.bring(shop.template(32))
    second = shop.stacks.look(shop.stack)
    assert first is not None
    assert second is not None
    assert second.stack_id == first.stack_id


def test_a_change_set_that_was_never_executed_is_no_obstacle(shop: Shop) -> None:
    body = {"TemplateBody": json.dumps(shop.template())}
    shop.stacks.prepare(shop.stack, create=True, template=body, parameters={}, tags={})
    assert shop.status() == "REVIEW_IN_PROGRESS"
    assert shop.bring(shop.template())
    assert shop.status() == "CREATE_COMPLETE"


def test_what_keeps_orders_is_not_replaced_unless_that_is_meant(shop: Shop) -> None:
    shop.bring(shop.template())
    other = shop.template()
    other["Resources"]["Orders"]["Properties"]["QueueName"] = f"{shop.names.orders}-2"
    with pytest.raises(Fault, match=r"Orders\. Nothing was changed\. .* --accept-loss"):
        shop.bring(other)
    assert shop.seconds() == 30
    assert shop.bring(other, accept_loss=True)


def test_protection_goes_on_and_off_with_the_setting_and_holds(shop: Shop) -> None:
    shop.bring(shop.template(), protected=True)
    looks = stacks_of(shop.account, shop.names.stage)
    assert "termination protection" in (refusal(shop.names.stage, looks, protected=False) or "")
    with pytest.raises(ClientError) as raised:
        remove(shop.stacks, looks[0], Manner(shop.told.append))
    assert "protected = false" in (explained(raised.value) or "")
    assert shop.status() == "CREATE_COMPLETE"
    shop.bring(shop.template(), protected=False)
    assert refusal(shop.names.stage, stacks_of(shop.account, shop.names.stage), protected=False) is None


def test_a_template_that_is_too_large_for_a_call_is_told_so(shop: Shop) -> None:
    large = {**shop.template(), "Description": "x" * 60_000}
    with pytest.raises(ClientError) as raised:
        shop.bring(large)
    assert "The template is larger than CloudFormation takes" in (explained(raised.value) or "")


class Somebody:
    """Somebody else's deployment of the same stack, which goes on until it is told to end."""

    def __init__(self, shop: Shop) -> None:
        """Starts it."""
        handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        waiting = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
        condition = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": waiting}
        body = {"TemplateBody": json.dumps(shop.template(Handle=handle, Signal=condition))}
        made = shop.stacks.prepare(shop.stack, create=True, template=body, parameters={}, tags={})
        shop.stacks.execute(made)
        until(lambda: bool(self._handle(shop)), "the handle is there")
        self._url = self._handle(shop)

    def _handle(self, shop: Shop) -> str:
        found = {each["LogicalResourceId"]: each for each in shop.stacks.resources(shop.stack)}
        return str(found.get("Handle", {}).get("PhysicalResourceId") or "")

    def end(self) -> None:
        """Lets it be done."""
        said = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "", "Reason": ""}).encode()
        request = urllib.request.Request(self._url, said, {"Content-Type": ""}, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


def test_whoever_comes_second_hears_that_somebody_else_deploys(shop: Shop) -> None:
    somebody = Somebody(shop)
    with pytest.raises(Fault, match=r"being changed by somebody else \(CREATE_IN_PROGRESS\)"):
        shop.bring(shop.template())
    with pytest.raises(Fault, match="being changed by somebody else"):
        stacks_of(shop.account, shop.names.stage)
    somebody.end()
    until(lambda: shop.status() == "CREATE_COMPLETE", "the other is done")


def test_whoever_waits_deploys_after_the_other(shop: Shop) -> None:
    somebody = Somebody(shop)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(shop.bring, shop.template(31), wait=True)
        until(lambda: any("waiting" in line for line in shop.told), "it waits")
        somebody.end()
        assert done.result(timeout=30)
    assert (shop.status(), shop.seconds()) == ("UPDATE_COMPLETE", 31)
