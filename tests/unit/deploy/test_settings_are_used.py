"""The plan of the real templates: no setting without effect, no parameter without a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.deploy.plan import Package, literals, plan
from infra.deploy.stage import stage_settings
from infra.deploy.steps import Bring, Output, TargetKind
from infra.stacks.foundation import STACKS, foundation_template
from infra.stacks.template import template
from tests.support import service_stack

pytestmark = pytest.mark.slow

ISSUER = {"auth_issuer": "https://i.example/", "auth_jwks_url": "https://i.example/keys"}
NOT_A_PARAMETER = {"Architecture"}
"""It decides which zip there is, and stands in the service's template as it is."""


def package(target: TargetKind) -> Package:
    return Package(
        Path("code.zip"),
        "code/c.zip",
        1,
        template((STACKS / "artifacts.yaml").read_text(encoding="utf-8")),
        template(foundation_template("demo")),
        template(service_stack.text(target)),
    )


def test_every_setting_of_a_stage_is_a_parameter_of_a_template() -> None:
    what = package("aws")
    declared = what.foundation.parameters | what.service.parameters
    given = set(literals("demo", stage_settings("demo"), "aws"))
    assert given - declared == NOT_A_PARAMETER


@pytest.mark.parametrize("target", ["aws", "localstack", "emulator"])
def test_the_real_templates_have_a_plan_for_every_target(target: TargetKind) -> None:
    made = plan("demo", replace(stage_settings("demo"), **ISSUER), target, package(target))
    assert [step.stack for step in made.steps if isinstance(step, Bring)][:2] == [
        "onsale-artifacts",
        "onsale-demo-foundation",
    ]


def test_on_aws_everything_that_the_foundation_tells_reaches_the_service() -> None:
    made = plan("demo", replace(stage_settings("demo"), **ISSUER), "aws", package("aws"))
    service = next(step for step in made.steps if isinstance(step, Bring) and step.stack.endswith("-service"))
    told = {name for name, value in service.parameters.items() if isinstance(value, Output)}
    assert told >= {
        "ArtifactBucket",
        "OrderQueueUrl",
        "OrderQueueArn",
        "DeadLetterQueueArn",
        "PaymentSecretArn",
        "DatabaseUrl",
        "DatabaseSecretArn",
        "ValkeyUrl",
        "ValkeySecretArn",
        "SubnetIds",
        "FunctionSecurityGroupId",
    }
