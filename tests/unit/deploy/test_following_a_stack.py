"""Following a stack when CloudFormation's answers lag behind: the old status is not the new one's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.deploy.account import Account, at_endpoint
from infra.deploy.stacks import Stacks

ID = "arn:aws:cloudformation:eu-central-1:1:stack/shop/1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scripted(Account):
    """An account whose CloudFormation answers as it was told."""

    scripted: Any = None

    def client(self, service: str) -> Any:  # noqa: ARG002 - there is but one
        """That one."""
        return self.scripted


@pytest.fixture
def answers() -> Iterator[tuple[Stacks, Stubber]]:
    client = boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    near = at_endpoint("emulator", "http://127.0.0.1:1")
    with Stubber(client) as stubber:
        yield Stacks(Scripted("emulator", near.region, near.session, scripted=client)), stubber
        stubber.assert_no_pending_responses()


def look(stubber: Stubber, status: str, *events: str) -> None:
    """One round: the stack's status, then its events, newest first; `old` is what was known before."""
    stack = {"StackName": "shop", "StackId": ID, "StackStatus": status, "CreationTime": NOW}
    stubber.add_response("describe_stacks", {"Stacks": [stack]})
    told = [
        {
            "EventId": each,
            "StackId": ID,
            "StackName": "shop",
            "LogicalResourceId": "shop",
            "ResourceStatus": each,
            "Timestamp": NOW,
        }
        for each in events
    ]
    stubber.add_response("describe_stack_events", {"StackEvents": told})


def test_a_status_from_before_the_first_event_is_not_the_end(answers: tuple[Stacks, Stubber]) -> None:
    stacks, stubber = answers
    look(stubber, "UPDATE_COMPLETE", "old")
    look(stubber, "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "old")
    look(stubber, "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "old")
    look(stubber, "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "old")
    told: list[str] = []
    status, seen = stacks.follow(ID, frozenset({"old"}), lambda each: told.append(each["EventId"]))
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert told == ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    assert [each["EventId"] for each in seen] == ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"]


def test_an_event_is_told_once_however_often_it_is_read(answers: tuple[Stacks, Stubber]) -> None:
    stacks, stubber = answers
    look(stubber, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    look(stubber, "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS")
    look(stubber, "CREATE_COMPLETE", "CREATE_COMPLETE", "CREATE_IN_PROGRESS")
    told: list[str] = []
    stacks.follow(ID, frozenset(), lambda each: told.append(each["EventId"]))
    assert told == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
