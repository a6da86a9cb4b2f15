"""What each function may do: its own work, on its own resources, and nothing that is not said why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.service_stack import functions, packaged, statements

EXPLAINED = {
    "JoinTheNetwork": "EC2 takes no narrower resource for an interface that does not exist yet",
    "ButNotTheCodeItself": "it forbids",
    "SendTraces": "X-Ray has no resource for what is sent to it",
    "WatchTheSale": "CloudWatch has no resource for metrics, and none for composite alarms",
    "HearAlarms": "the same",
}
"""By statement: why it names every resource."""
MAY = {
    "APIHandler": {
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetDashboard",
        "cloudwatch:GetMetricData",
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        "secretsmanager:GetSecretValue",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ListMessageMoveTasks",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "sqs:StartMessageMoveTask",
    },
    "Fulfil": {
        "secretsmanager:GetSecretValue",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    },
    "Reconcile": {"lambda:GetEventSourceMapping", "secretsmanager:GetSecretValue", "sqs:SendMessage"},
    "Expire": {"secretsmanager:GetSecretValue"},
    "Watch": {"secretsmanager:GetSecretValue", "sqs:GetQueueAttributes"},
    "Migrate": {"secretsmanager:GetSecretValue"},
}
"""Besides its log, its network and its traces."""
EVERYONES = ("logs:", "ec2:", "xray:")


def broad(template: dict[str, Any]) -> list[str]:
    """The statements that name every resource, or every call of a service, without being explained."""
    return [
        f"{role}: {said['Sid']}"
        for role, said in statements(template)
        if any("*" in action for action in actions(said))
        or ("*" in resources(said) and said["Sid"] not in EXPLAINED)
    ]


def actions(statement: dict[str, Any]) -> list[str]:
    said = statement["Action"]
    return [said] if isinstance(said, str) else said


def resources(statement: dict[str, Any]) -> list[Any]:
    said = statement["Resource"]
    return said if isinstance(said, list) else [said]


def test_no_role_reaches_further_than_is_explained() -> None:
    assert broad(packaged()) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"Sid": "ReadSecrets", "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
        {"Sid": "ReadSecrets", "Action": "secretsmanager:GetSecretValue", "Resource": ["arn:…", "*"]},
        {"Sid": "SendTraces", "Action": "sqs:*", "Resource": "arn:…"},
    ],
)
def test_control_a_right_to_everything_is_seen(planted: dict[str, Any]) -> None:
    template = packaged()
    policy = template["Resources"]["DoorRole"]["Properties"]["Policies"][0]
    policy["PolicyDocument"]["Statement"].append(planted)
    assert broad(template) == [f"DoorRole: {planted['Sid']}"]


def test_what_is_explained_is_still_there() -> None:
    assert set(EXPLAINED) <= {said["Sid"] for _, said in statements(packaged())}


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_its_work_and_no_more(function: str) -> None:
    template = packaged()
    role = functions(template)[function]["Role"]["Fn::GetAtt"][0]
    given = [said for name, said in statements(template) if name == role and said["Effect"] == "Allow"]
    found = {action for said in given for action in actions(said)}
    assert {action for action in found if not action.startswith(EVERYONES)} == MAY[function]


def test_a_function_writes_its_own_log_alone() -> None:
    template = packaged()
    for each in functions(template).values():
        role, log = each["Role"]["Fn::GetAtt"][0], each["LoggingConfig"]["LogGroup"]["Ref"]
        written = [
            said for name, said in statements(template) if name == role and said["Sid"] == "WriteItsLog"
        ]
        assert [said["Resource"] for said in written] == [{"Fn::GetAtt": [log, "Arn"]}]


def test_the_code_of_a_function_may_not_make_the_interfaces_that_lambda_makes_for_it() -> None:
    template = packaged()
    for role in (each["Role"]["Fn::GetAtt"][0] for each in functions(template).values()):
        found = {said["Sid"]: said for name, said in statements(template) if name == role}
        assert found["ButNotTheCodeItself"]["Effect"] == "Deny"
        assert found["ButNotTheCodeItself"]["Action"] == found["JoinTheNetwork"]["Action"]
