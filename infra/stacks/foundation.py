"""Puts the foundation's template together: the stack, the dashboard, the alarms, the rotation's code. Pure.

It must not know any account, address or target, and asks nobody: the same files make the same text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parents[1]
STACKS, CLOUDWATCH = INFRA / "stacks", INFRA / "cloudwatch"
NOT_EVERYWHERE = {"AWS::CloudWatch::CompositeAlarm"}
"""Kinds of alarm that the emulators do not know."""


def foundation_template(stage: str) -> str:
    """The template of the foundation as JSON text, for `stage` and no other stage.

    Raises OSError or YAMLError when a file of infra/stacks or infra/cloudwatch cannot be read.
    """
    template = parsed((STACKS / "foundation.yaml").read_text())
    template["Parameters"]["Stage"] |= {"Default": stage, "AllowedValues": [stage]}
    resources = template["Resources"]
    resources |= _alarms()
    resources["Dashboard"]["Properties"]["DashboardBody"] = {"Fn::Sub": _dashboard()}
    code = (STACKS / "rotate_valkey.py").read_text()
    resources["RotationFunction"]["Properties"]["Code"] = {"ZipFile": code}
    return json.dumps(template, separators=(",", ":"))


def parsed(text: str) -> dict[str, Any]:
    """A template in YAML, CloudFormation's short forms written out. Raises YAMLError."""
    found: dict[str, Any] = yaml.load(text, Loader=_Template)  # noqa: S506 - a SafeLoader
    return found


class _Template(yaml.SafeLoader):  # type: ignore[misc]
    """Reads `!Sub x` as {"Fn::Sub": "x"}."""


def _written_out(loader: _Template, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {key: value.split(".", 1) if name == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    return {key: loader.construct_mapping(node, deep=True)}


_Template.add_multi_constructor("!", _written_out)


def _alarms() -> dict[str, Any]:
    """Every alarm; each rings when it begins and when it is over. Composites come after the others."""
    alarms: dict[str, Any] = json.loads((CLOUDWATCH / "alarms.json").read_text())
    topic = [{"Ref": "AlarmTopic"}]
    plain = [name for name, alarm in alarms.items() if alarm["Type"] not in NOT_EVERYWHERE]
    for alarm in alarms.values():
        alarm["Properties"] = _substituted(alarm["Properties"]) | {"AlarmActions": topic, "OKActions": topic}
        if alarm["Type"] in NOT_EVERYWHERE:
            alarm |= {"Condition": "OnAws", "DependsOn": plain}
    return alarms


def _substituted(value: Any) -> Any:
    """The same, in which CloudFormation fills in each ${name}."""
    if isinstance(value, dict):
        return {key: _substituted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_substituted(each) for each in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value


def _dashboard() -> str:
    return json.dumps(json.loads((CLOUDWATCH / "dashboard.json").read_text()), separators=(",", ":"))
