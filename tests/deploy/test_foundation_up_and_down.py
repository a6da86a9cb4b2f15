"""The foundation goes up, changes and goes down again, on LocalStack and on the embedded emulator.

What neither has (network, database, cache, rotation, the composite alarm) is not proven by this: the
templates' own tests look at those parts. Nor does either hold a parameter to its bounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from infra.deploy.account import Account, at_endpoint
from infra.deploy.bring import Manner, Wish, bring, remove
from infra.deploy.names import Names
from infra.deploy.stacks import Stacks
from infra.deploy.steps import TargetKind
from infra.local.sqs import MAX_RECEIVES, VISIBILITY_SECONDS
from infra.stacks.foundation import STACKS, foundation_template
from tests.support.sqs import LOCALSTACK, skip_without_localstack, sqs_server

pytestmark = pytest.mark.slow

OUTPUTS = {
    "OrderQueueUrl",
    "OrderQueueArn",
    "DeadLetterQueueUrl",
    "DeadLetterQueueArn",
    "AlarmTopicArn",
    "PaymentSecretArn",
}
"""What there is everywhere; the rest is on AWS alone."""


class Stage:
    """A stage of its own name, so that runs beside each other do not meet."""

    def __init__(self, account: Account) -> None:
        """Makes nothing yet."""
        self.account, self.names = account, Names(f"t{uuid4().hex[:8]}")
        self.stacks = Stacks(account)

    def up(self, **parameters: str) -> bool:
        """Brings the foundation there; whether anything changed."""
        given = {"Stage": self.names.stage, "Target": self.account.target, **parameters}
        template = {"TemplateBody": foundation_template(self.names.stage)}
        wish = Wish(self.names.foundation, template, given, {"stage": self.names.stage}, protected=False)
        return bring(self.stacks, wish, Manner(lambda _: None))

    def down(self) -> None:
        """Takes it away, if it is there."""
        if look := self.stacks.look(self.names.foundation):
            remove(self.stacks, look, Manner(lambda _: None))

    def outputs(self) -> dict[str, str]:
        """What the stack says."""
        look = self.stacks.look(self.names.foundation)
        assert look is not None
        return look.outputs

    def queue(self, output: str) -> dict[str, Any]:
        """The attributes of a queue, JSON in them read."""
        # By its name: LocalStack's address of it is one that only a resolver on the internet knows.
        sqs = self.account.client("sqs")
        url = sqs.get_queue_url(QueueName=self.outputs()[output].rpartition(":")[2])["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {name: json.loads(text) if text.startswith("{") else text for name, text in found.items()}

    def left(self) -> list[str]:
        """Whatever has the stage's name."""
        client, mine = self.account.client, self.names.prefix
        queues = client("sqs").list_queues(QueueNamePrefix=mine).get("QueueUrls", [])
        alarms = client("cloudwatch").describe_alarms(AlarmNamePrefix=mine)["MetricAlarms"]
        dashboards = (
            client("cloudwatch").list_dashboards(DashboardNamePrefix=mine).get("DashboardEntries", [])
        )
        topics = client("sns").list_topics()["Topics"]
        secrets = client("secretsmanager").list_secrets()["SecretList"]
        named = [
            *queues,
            *(each["AlarmName"] for each in alarms),
            *(each["DashboardName"] for each in dashboards),
            *(each["TopicArn"] for each in topics),
            *(each["Name"] for each in secrets if not each.get("DeletedDate")),
        ]
        return [name for name in named if self.names.stage in name]


@pytest.fixture(scope="module", params=["emulator", pytest.param("localstack", marks=pytest.mark.localstack)])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """An account at either."""
    with _endpoint(request.param) as endpoint:
        yield at_endpoint(request.param, endpoint)


@contextmanager
def _endpoint(target: TargetKind) -> Iterator[str]:
    if target == "localstack":
        skip_without_localstack()
        yield LOCALSTACK
    else:
        with sqs_server() as endpoint:
            yield endpoint


@pytest.fixture(scope="module")
def stage(account: Account) -> Iterator[Stage]:
    """A stage whose foundation is there, for tests that only look."""
    made = Stage(account)
    try:
        made.up()
        yield made
    finally:
        made.down()


def test_its_outputs_are_what_the_service_is_given(stage: Stage) -> None:
    outputs = stage.outputs()
    assert set(outputs) == OUTPUTS
    assert outputs["OrderQueueArn"].endswith(f":{stage.names.orders}")
    assert outputs["DeadLetterQueueArn"].endswith(f":{stage.names.dead_letters}")


def test_orders_wait_as_they_do_on_the_laptop(stage: Stage) -> None:
    orders = stage.queue("OrderQueueArn")
    assert int(orders["VisibilityTimeout"]) == VISIBILITY_SECONDS
    assert orders["RedrivePolicy"]["deadLetterTargetArn"] == stage.outputs()["DeadLetterQueueArn"]
    assert int(orders["RedrivePolicy"]["maxReceiveCount"]) == MAX_RECEIVES


def test_a_dead_letter_outlives_an_order(stage: Stage) -> None:
    """SQS counts both from when the order was sent."""
    dead, orders = stage.queue("DeadLetterQueueArn"), stage.queue("OrderQueueArn")
    assert int(dead["MessageRetentionPeriod"]) == 14 * 24 * 3_600
    assert int(orders["MessageRetentionPeriod"]) < int(dead["MessageRetentionPeriod"])


def test_only_the_order_queue_may_bury_there(stage: Stage) -> None:
    allowed = stage.queue("DeadLetterQueueArn").get("RedriveAllowPolicy")
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [stage.outputs()["OrderQueueArn"]],
    }


def test_both_queues_are_encrypted_and_refuse_calls_without_tls(stage: Stage) -> None:
    for output in ("OrderQueueArn", "DeadLetterQueueArn"):
        queue = stage.queue(output)
        assert queue["SqsManagedSseEnabled"] == "true"
        (statement,) = queue["Policy"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_payment_secret_that_nobody_can_guess_is_there_until_the_operator_puts_one_in(stage: Stage) -> None:
    secrets = stage.account.client("secretsmanager")
    name = stage.outputs()["PaymentSecretArn"]
    assert len(secrets.get_secret_value(SecretId=name)["SecretString"]) == 64
    secrets.put_secret_value(SecretId=name, SecretString="the provider's own")
    stage.up(VisibilitySeconds="91")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "the provider's own"


def test_every_alarm_rings_at_the_topic(stage: Stage) -> None:
    found = stage.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=stage.names.prefix)
    wanted = [f"{stage.names.prefix}-{name}" for name in ("dead-letters", "oldest-order", "server-errors")]
    assert {each["AlarmName"] for each in found["MetricAlarms"]} >= set(wanted)
    topic = [stage.outputs()["AlarmTopicArn"]]
    assert {tuple(each["AlarmActions"]) for each in found["MetricAlarms"]} == {tuple(topic)}
    assert {tuple(each["OKActions"]) for each in found["MetricAlarms"]} == {tuple(topic)}


def test_the_dashboard_is_there_under_the_stages_name(stage: Stage) -> None:
    if stage.account.target == "localstack":
        pytest.skip("LocalStack 4.14.0 takes the resource and makes no dashboard")
    found = stage.account.client("cloudwatch").get_dashboard(DashboardName=stage.names.prefix)
    assert json.loads(found["DashboardBody"])["widgets"]
    assert "${" not in found["DashboardBody"]


def test_a_second_time_without_change_changes_nothing(account: Account) -> None:
    stage = Stage(account)
    try:
        assert stage.up()
        assert not stage.up()
    finally:
        stage.down()


def test_a_change_reaches_the_queue_and_its_orders_stay(account: Account) -> None:
    stage = Stage(account)
    try:
        stage.up()
        sqs = account.client("sqs")
        url = sqs.get_queue_url(QueueName=stage.names.orders)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="an order")
        assert stage.up(VisibilitySeconds="120")
        assert stage.queue("OrderQueueArn")["VisibilityTimeout"] == "120"
        assert stage.queue("OrderQueueArn")["ApproximateNumberOfMessages"] == "1"
    finally:
        stage.down()


def test_after_going_down_nothing_is_left(account: Account) -> None:
    stage = Stage(account)
    stage.up()
    assert stage.left()
    stage.down()
    assert stage.stacks.look(stage.names.foundation) is None
    assert stage.left() == []


def test_the_artifacts_bucket_is_private_and_encrypted_and_stays(account: Account) -> None:
    name = f"artifacts-{uuid4().hex[:8]}"
    stacks, s3 = Stacks(account), account.client("s3")
    wish = Wish(name, {"TemplateBody": (STACKS / "artifacts.yaml").read_text()}, {}, {}, protected=False)
    bring(stacks, wish, Manner(lambda _: None))
    look = stacks.look(name)
    assert look is not None
    bucket = look.outputs["ArtifactBucket"]
    try:
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
        remove(stacks, look, Manner(lambda _: None))
        assert bucket in {each["Name"] for each in s3.list_buckets()["Buckets"]}
    finally:
        s3.delete_bucket(Bucket=bucket)
