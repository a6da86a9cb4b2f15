"""The templates against the policy scan, every exception explained; and what the scan does not look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.foundation import STACKS, foundation_template, parsed
from infra.stacks.service import service_template
from infra.stacks.transform import transformed
from tests.support.policy import BROAD, Finding, excepted, lint, scan

pytestmark = [pytest.mark.deploy, pytest.mark.slow]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every template in a file, by name."""
    folder = tmp_path_factory.mktemp("templates")
    texts = {
        "artifacts": json.dumps(parsed((STACKS / "artifacts.yaml").read_text())),
        "foundation": foundation_template("demo"),
        "service": transformed(
            service_template("code/0.zip", architecture="arm64", target="aws", runtime="python3.13")
        ),
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text)
    return {name: folder / f"{name}.json" for name in texts}


@pytest.fixture(scope="module")
def findings(templates: dict[str, Path]) -> set[Finding]:
    """What the scan finds in all of them."""
    return {each for file in templates.values() for each in scan(file)}


def test_whatever_the_scan_finds_is_excepted_with_a_reason(findings: set[Finding]) -> None:
    assert sorted(findings - set(excepted())) == []
    assert all(len(reason.split()) > 5 for reason in excepted().values())


def test_no_exception_is_kept_that_finds_nothing_any_more(findings: set[Finding]) -> None:
    assert sorted(set(excepted()) - findings) == []


@pytest.fixture(scope="module")
def found_in_a_weak_one(templates: dict[str, Path]) -> set[Finding]:
    """What the scan finds in the foundation with a weakness of each kind."""
    template = json.loads(templates["foundation"].read_text())
    for plant in (queue_in_the_clear, role_over_everything, database_in_the_clear, open_to_the_world):
        plant(template["Resources"])
    weak = templates["foundation"].with_name("weak.json")
    weak.write_text(json.dumps(template))
    return scan(weak) - set(excepted())


def queue_in_the_clear(resources: dict[str, Any]) -> None:
    resources["Planted"] = {"Type": "AWS::SQS::Queue"}


def role_over_everything(resources: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    resources["RotationRole"]["Properties"]["Policies"].append(
        {"PolicyName": "planted", "PolicyDocument": document}
    )


def database_in_the_clear(resources: dict[str, Any]) -> None:
    resources["Database"]["Properties"]["StorageEncrypted"] = False


def open_to_the_world(resources: dict[str, Any]) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    resources["DatabaseSecurityGroup"]["Properties"]["SecurityGroupIngress"].append(rule)


@pytest.mark.parametrize(
    "resource",
    [
        "AWS::SQS::Queue.Planted",
        "AWS::IAM::Role.RotationRole",
        "AWS::RDS::DBCluster.Database",
        "AWS::EC2::SecurityGroup.DatabaseSecurityGroup",
    ],
)
def test_a_planted_weakness_is_found(found_in_a_weak_one: set[Finding], resource: str) -> None:
    """The negative controls."""
    assert resource in {each.resource for each in found_in_a_weak_one}


def test_every_queue_is_encrypted(templates: dict[str, Path]) -> None:
    """By SQS's own key, which the scan does not know."""
    queues = of_kind(templates, "AWS::SQS::Queue")
    assert queues
    assert all(queue["Properties"].get("SqsManagedSseEnabled") is True for queue in queues.values())


def of_kind(templates: dict[str, Path], kind: str) -> dict[str, Any]:
    """Resources of one kind, of all templates."""
    found = [json.loads(file.read_text())["Resources"].items() for file in templates.values()]
    return {name: each for resources in found for name, each in resources if each["Type"] == kind}


def test_a_role_over_everything_is_found_by_our_own_check_too(found_in_a_weak_one: set[Finding]) -> None:
    assert Finding(BROAD, "AWS::IAM::Role.RotationRole") in found_in_a_weak_one


def test_the_services_template_is_without_fault_after_sams_transform(templates: dict[str, Path]) -> None:
    assert lint(templates["service"]) == []
