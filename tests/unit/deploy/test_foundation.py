"""The foundation's template, put together: what is in it, and as it was last reviewed."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.deploy.names import Names
from infra.local.sqs import FUNCTION_TIMEOUT_SECONDS
from infra.stacks.foundation import CLOUDWATCH, STACKS, foundation_template, parsed
from tests.support.snapshots import reviewed

Resources = dict[str, dict[str, Any]]

FILLED_IN = {"Stage", "AWS::Region", "AWS::AccountId", "AWS::Partition"}
KEEPS_DATA = {"AWS::RDS::DBCluster"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """As it is for one stage."""
    made: dict[str, Any] = json.loads(foundation_template("demo"))
    return made


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> Resources:
    """What is in it, by name."""
    found: Resources = template["Resources"]
    return found


def test_it_is_as_reviewed(template: dict[str, Any]) -> None:
    reviewed(Path(__file__).parent / "snapshots" / "foundation.yaml", readable(template))


def readable(template: dict[str, Any]) -> str:
    """The template in lines: the dashboard as the document that it is, the rotation's code as text."""
    shown = json.loads(json.dumps(template))
    dashboard = shown["Resources"]["Dashboard"]["Properties"]
    dashboard["DashboardBody"] = {"Fn::Sub": json.loads(dashboard["DashboardBody"]["Fn::Sub"])}
    text: str = yaml.dump(shown, Dumper=_Readable, sort_keys=False, width=120)
    return text


class _Readable(yaml.SafeDumper):  # type: ignore[misc]
    """Text of many lines as it is."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def test_the_same_files_make_the_same_text() -> None:
    assert foundation_template("demo") == foundation_template("demo")


def test_it_is_for_its_stage_alone(template: dict[str, Any]) -> None:
    assert template["Parameters"]["Stage"]["AllowedValues"] == ["demo"]


def test_every_alarm_of_the_file_is_in_it_and_rings_at_the_topic(resources: Resources) -> None:
    alarms = json.loads((CLOUDWATCH / "alarms.json").read_text())
    assert alarms
    for name in alarms:
        properties = resources[name]["Properties"]
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmTopic"}]


def test_a_composite_alarm_comes_after_those_that_it_names(resources: Resources) -> None:
    composites = [each for each in resources.values() if each["Type"] == "AWS::CloudWatch::CompositeAlarm"]
    assert composites
    names = {
        each["Properties"]["AlarmName"]["Fn::Sub"]: name
        for name, each in resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    for each in composites:
        named = re.findall(r"ALARM\(([^)]+)\)", each["Properties"]["AlarmRule"]["Fn::Sub"])
        assert named
        assert {names[alarm] for alarm in named} <= set(each["DependsOn"])


def test_whatever_is_to_be_filled_in_is_known_to_cloudformation(resources: Resources) -> None:
    own = [resources["Dashboard"], *(resources[name] for name in json.loads(alarms_text()))]
    assert set(re.findall(r"\$\{([^}]+)\}", json.dumps(own))) <= FILLED_IN


def alarms_text() -> str:
    return (CLOUDWATCH / "alarms.json").read_text()


def test_nothing_with_a_placeholder_stands_outside_of_a_substitution(template: dict[str, Any]) -> None:
    assert list(unfilled(template["Resources"])) == []
    assert list(unfilled({"Name": "onsale-${Stage}"})) == ["onsale-${Stage}"]  # the negative control


def unfilled(value: Any) -> Any:
    """Texts with a ${…} that CloudFormation would leave as it is."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in {"Fn::Sub", "ZipFile"}:
                yield from unfilled(each)
    elif isinstance(value, list):
        for each in value:
            yield from unfilled(each)
    elif isinstance(value, str) and "${" in value:
        yield value


def test_names_are_those_that_everything_else_goes_by(resources: Resources) -> None:
    names = Names("demo")

    def named(resource: str, key: str) -> str:
        return str(resources[resource]["Properties"][key]["Fn::Sub"]).replace("${Stage}", "demo")

    assert named("OrderQueue", "QueueName") == names.orders
    assert named("DeadLetterQueue", "QueueName") == names.dead_letters
    assert named("Database", "DBClusterIdentifier") == names.prefix
    assert named("Dashboard", "DashboardName") == names.prefix


def test_a_message_stays_hidden_for_six_function_timeouts_at_the_least(template: dict[str, Any]) -> None:
    visibility = template["Parameters"]["VisibilitySeconds"]
    assert visibility["MinValue"] == visibility["Default"] == 6 * FUNCTION_TIMEOUT_SECONDS


def test_what_keeps_data_leaves_a_snapshot_when_it_goes(resources: Resources) -> None:
    keeping = [each for each in resources.values() if each["Type"] in KEEPS_DATA]
    assert keeping
    assert all(each["DeletionPolicy"] == each["UpdateReplacePolicy"] == "Snapshot" for each in keeping)


def test_the_bucket_of_artifacts_stays_when_its_stack_goes() -> None:
    bucket = parsed((STACKS / "artifacts.yaml").read_text())["Resources"]["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_the_rotations_code_needs_nothing_that_lambda_does_not_have(resources: Resources) -> None:
    code = resources["RotationFunction"]["Properties"]["Code"]["ZipFile"]
    assert code == (STACKS / "rotate_valkey.py").read_text()
    tree = ast.walk(ast.parse(code))
    imported = {
        name.partition(".")[0]
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported == {"__future__", "json", "os", "secrets", "time", "typing", "boto3"}


ONLY_ON_AWS = re.compile(r"AWS::(EC2|RDS|ElastiCache|Lambda|IAM|Logs)::|RotationSchedule|CompositeAlarm")


def test_what_the_emulators_lack_has_a_condition(resources: Resources) -> None:
    lacking = [each for each in resources.values() if ONLY_ON_AWS.search(each["Type"])]
    assert lacking
    assert all("Condition" in each for each in lacking)
