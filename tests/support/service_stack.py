"""The service's template as packaged, once a session; and what of it a function would be given.

`python -m tests.support.service_stack` writes down anew what test_service_template.py compares it with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.stacks.service import Target, service_template

REVIEWED = Path(__file__).parents[1] / "unit" / "deploy" / "service_template.yaml"
VALUES: Mapping[str, str] = {
    "Stage": "demo",
    "EndpointUrl": "http://127.0.0.1:4566",
    "OrderQueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/onsale-demo-orders",
    "OrderQueueArn": "arn:aws:sqs:eu-central-1:1:onsale-demo-orders",
    "PaymentSecretArn": "arn:aws:secretsmanager:eu-central-1:1:secret:payment",
    "DatabaseUrl": "postgresql://proxy.example:5432/onsale?sslmode=verify-full",
    "DatabaseSecretArn": "arn:aws:secretsmanager:eu-central-1:1:secret:database",
    "ValkeyUrl": "valkeys://gate.example:6379/0?cluster=true",
    "ValkeySecretArn": "arn:aws:secretsmanager:eu-central-1:1:secret:valkey",
    "AuthIssuer": "https://issuer.example",
    "AuthJwksUrl": "https://issuer.example/keys",
}
"""What a stack could be given; the rest has defaults."""


@cache
def text(target: Target = "aws") -> str:
    """The template's text for a target."""
    return service_template("code/c.zip", architecture="arm64", target=target, runtime="python3.13")


def packaged(target: Target = "aws") -> dict[str, Any]:
    """A copy of the template, to look at and to spoil."""
    made: dict[str, Any] = json.loads(text(target))
    return made


def functions(template: Mapping[str, Any]) -> dict[str, Any]:
    """By logical id: each function's properties, with those that all have."""
    shared = template["Globals"]["Function"]
    found = {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {name: {**shared, **own} for name, own in found.items()}


def environment(template: Mapping[str, Any], function: str, *, on_aws: bool) -> dict[str, str]:
    """The variables that a function is given, with every reference resolved."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = template["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    said = {name: _resolved(value, template, on_aws) for name, value in {**shared, **own}.items()}
    return {name: value for name, value in said.items() if value is not None}


def _resolved(value: Any, template: Mapping[str, Any], on_aws: bool) -> Any:
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            declared = template["Parameters"].get(name, {})
            return VALUES.get(name, str(declared.get("Default", name)))
        case {"Fn::If": ["OnAws", yes, no]}:
            return _resolved(yes if on_aws else no, template, on_aws)
        case {"Fn::Sub": str(pattern)}:
            return pattern.replace("${Stage}", VALUES["Stage"])
    return value


def statements(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every role, also those that depend on a condition, with the role's logical id."""
    for name, each in template["Resources"].items():
        if each["Type"] == "AWS::IAM::Role":
            for policy in each["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement.get("Fn::If", [None, statement])[1]


def condensed(template: dict[str, Any]) -> str:
    """The template to read: a line for each call of the API, and none for what is made of files."""
    resources = template["Resources"]
    api = resources["RestAPI"]["Properties"]
    definition = api.pop("DefinitionBody")
    api["DefinitionBody"] = {
        "binary": definition["x-amazon-apigateway-binary-media-types"],
        "calls": {path: " ".join(sorted(each)).upper() for path, each in definition["paths"].items()},
    }
    api["GatewayResponses"] = {
        kind: f"{each['StatusCode']} {json.loads(each['ResponseTemplates']['application/json'])['code']}"
        for kind, each in api["GatewayResponses"].items()
    }
    resources["Migration"]["Properties"]["Files"] = "…"
    for each in resources.values():
        if each["Type"] == "AWS::Serverless::Function":
            each["Properties"]["Description"] = "…"
    written: str = yaml.safe_dump(template, allow_unicode=True, width=110)
    return written


if __name__ == "__main__":
    REVIEWED.write_text(condensed(packaged()), encoding="utf-8")
