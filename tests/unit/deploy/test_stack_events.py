"""The one cause of a failure among a stack's events, and what a change set would lose."""

from __future__ import annotations

from typing import Any

import pytest

from infra.deploy import changes
from infra.deploy.events import Cause, has_lived, is_beginning, line, root_cause, validation_cause

STACK = "AWS::CloudFormation::Stack"


def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::SQS::Queue") -> dict[str, Any]:
    return {
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


FAILED = [
    event("shop", "ROLLBACK_COMPLETE", kind=STACK),
    event("Orders", "DELETE_COMPLETE"),
    event("shop", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Role, Key].", STACK),
    event("Key", "CREATE_FAILED", "Resource creation cancelled", "AWS::KMS::Key"),
    event("Role", "CREATE_FAILED", "Role of that name exists", "AWS::IAM::Role"),
    event("Orders", "CREATE_COMPLETE"),
    event("shop", "CREATE_IN_PROGRESS", "User Initiated", STACK),
]
"""Newest first, as DescribeStackEvents answers."""


def test_the_cause_is_the_first_failure_that_no_other_one_caused() -> None:
    assert root_cause(FAILED) == Cause("Role", "AWS::IAM::Role", "CREATE_FAILED", "Role of that name exists")


def test_a_cancelled_resource_is_not_the_cause_even_when_it_comes_first() -> None:
    swapped = [*FAILED[:3], FAILED[4], FAILED[3], *FAILED[5:]]
    found = root_cause(swapped)
    assert found is not None
    assert found.logical_id == "Role"


def test_where_only_the_stack_failed_its_own_reason_is_the_cause() -> None:
    found = root_cause([event("shop", "UPDATE_FAILED", "Transform failed", STACK)])
    assert found is not None
    assert found.sentence("shop") == "shop failed: Transform failed"


def test_without_a_failure_there_is_no_cause() -> None:
    assert root_cause([event("Orders", "CREATE_COMPLETE")]) is None


def test_the_sentence_names_resource_type_stack_and_reason() -> None:
    found = root_cause(FAILED)
    assert found is not None
    said = "Role (AWS::IAM::Role) of shop could not be created: Role of that name exists"
    assert found.sentence("shop") == said


def test_a_reason_with_a_whole_template_in_it_is_shortened_to_one_line() -> None:
    found = root_cause([event("Role", "CREATE_FAILED", "Value '\n" + "{}" * 5_000 + "' is too long")])
    assert found is not None
    assert len(found.reason) < 320
    assert "\n" not in found.reason
    assert found.reason.startswith("Value '")
    assert found.reason.endswith("is too long")


def test_a_refused_property_is_found_where_the_stack_only_refers_to_it() -> None:
    warned = {"ValidationStatus": "FAILED", "ValidationFailureMode": "WARN", "LogicalResourceId": "Other"}
    refused = {
        "ValidationStatus": "FAILED",
        "ValidationFailureMode": "FAIL",
        "LogicalResourceId": "Bucket",
        "ResourceType": "AWS::S3::Bucket",
        "ValidationStatusReason": "already exists",
    }
    found = validation_cause([{"EventType": "STACK_EVENT"}, warned, refused])
    assert found is not None
    said = "Bucket (AWS::S3::Bucket) of shop cannot be as the template wants it: already exists"
    assert found.sentence("shop") == said


def test_a_stack_has_lived_once_it_was_whole_and_not_when_only_a_resource_was() -> None:
    assert not has_lived(FAILED, "shop")
    assert has_lived([*FAILED, event("shop", "UPDATE_COMPLETE", kind=STACK)], "shop")


def test_a_line_has_the_reason_of_a_failure_and_no_other() -> None:
    assert line(FAILED[4]) == "CREATE_FAILED    Role  AWS::IAM::Role  Role of that name exists"
    assert line(FAILED[6]) == "CREATE_IN_PROGRESS shop  AWS::CloudFormation::Stack"


def test_a_resource_in_progress_is_a_beginning_and_a_stack_is_news() -> None:
    assert is_beginning(event("Orders", "CREATE_IN_PROGRESS"))
    assert not is_beginning(event("Orders", "CREATE_COMPLETE"))
    assert not is_beginning(FAILED[2])


def change(action: str, logical_id: str, kind: str, **more: str) -> dict[str, Any]:
    about = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": kind, **more}
    return {"ResourceChange": about}


def test_changes_are_told_a_line_each_with_what_is_replaced() -> None:
    told = changes.lines(
        [
            change("Add", "Orders", "AWS::SQS::Queue"),
            change("Modify", "Door", "AWS::Lambda::Function", Replacement="False"),
            change("Modify", "Api", "AWS::ApiGateway::RestApi", Replacement="True"),
            change("Modify", "Key", "AWS::KMS::Key", Replacement="Conditional"),
            change("Remove", "Old", "AWS::SNS::Topic"),
        ]
    )
    assert told == [
        "+ Orders  AWS::SQS::Queue",
        "~ Door  AWS::Lambda::Function",
        "~ Api  AWS::ApiGateway::RestApi  is replaced",
        "~ Key  AWS::KMS::Key  may be replaced",
        "- Old  AWS::SNS::Topic",
    ]


@pytest.mark.parametrize(
    "loss",
    [
        change("Remove", "Ledger", "AWS::RDS::DBCluster"),
        change("Modify", "Ledger", "AWS::RDS::DBCluster", Replacement="True"),
        change("Modify", "Ledger", "AWS::RDS::DBCluster", Replacement="Conditional"),
    ],
)
def test_what_keeps_data_and_would_go_is_a_loss(loss: dict[str, Any]) -> None:
    assert changes.losses([loss]) == ["Ledger"]


@pytest.mark.parametrize(
    "harmless",
    [
        change("Add", "Ledger", "AWS::RDS::DBCluster"),
        change("Modify", "Ledger", "AWS::RDS::DBCluster", Replacement="False"),
        change("Remove", "Door", "AWS::Lambda::Function"),
        change("Modify", "Door", "AWS::Lambda::Function", Replacement="True"),
    ],
)
def test_what_can_be_made_again_is_none(harmless: dict[str, Any]) -> None:
    assert changes.losses([harmless]) == []
