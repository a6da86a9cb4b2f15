"""The plan: the same without account and network, with references where only an account knows."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from infra.deploy.plan import Package, Unplannable, literals, plan
from infra.deploy.show import as_document, as_text, templates_as_text
from infra.deploy.stage import StageSettings, stage_settings
from infra.deploy.steps import Bring, Check, Fact, Output, Plan, Upload
from infra.stacks.template import BadTemplate, Template, template

ISSUED = replace(
    stage_settings("demo"), auth_issuer="https://i.example/", auth_jwks_url="https://i.example/keys"
)
QUEUE = {"Type": "AWS::SQS::Queue"}


def made(parameters: dict[str, object], outputs: dict[str, object] | None = None) -> Template:
    resources = {"Orders": QUEUE}
    return template(json.dumps({"Parameters": parameters, "Resources": resources, "Outputs": outputs or {}}))


ANY = {"Type": "String", "Default": ""}
FOUNDATION = made(
    {"Stage": {"Type": "String"}, "Target": {"Type": "String"}, "MinimumAcu": ANY},
    {"OrderQueueUrl": {"Value": "x"}, "DatabaseUrl": {"Condition": "OnAws", "Value": "x"}},
)
SERVICE = made(
    {
        "ArtifactBucket": {"Type": "String"},
        "OrderQueueUrl": {"Type": "String"},
        "DatabaseUrl": {"Type": "String"},
        "EndpointUrl": ANY,
        "Burst": ANY,
        "PaymentSecretArn": ANY,
    }
)


def package(foundation: Template = FOUNDATION, service: Template = SERVICE) -> Package:
    artifacts = made({}, {"ArtifactBucket": {"Value": "x"}})
    return Package(Path("code.zip"), "code/abc.zip", 12_345, artifacts, foundation, service)


def planned(target: str = "aws", settings: StageSettings = ISSUED, what: Package | None = None) -> Plan:
    return plan("demo", settings, target, what or package())  # type: ignore[arg-type]


def brought(found: Plan, stack: str) -> Bring:
    return next(step for step in found.steps if isinstance(step, Bring) and step.stack == stack)


def test_the_bucket_comes_first_then_what_lies_in_it_then_the_stacks_and_a_look_at_the_service() -> None:
    told = [step.stack if isinstance(step, Bring | Check) else step.key[:9] for step in planned().steps]
    assert told == [
        "onsale-artifacts",
        "code/abc.",
        "templates",
        "templates",
        "onsale-demo-foundation",
        "onsale-demo-service",
        "onsale-demo-service",
    ]


def test_each_template_gets_the_parameters_that_it_declares_and_no_other() -> None:
    assert brought(planned(), "onsale-demo-foundation").parameters == {
        "MinimumAcu": "0.5",
        "Stage": "demo",
        "Target": "aws",
    }


def test_what_only_an_account_knows_is_a_reference() -> None:
    foundation = "onsale-demo-foundation"
    assert brought(planned(), "onsale-demo-service").parameters == {
        "ArtifactBucket": Output("ArtifactBucket", "onsale-artifacts"),
        "Burst": "1000",
        "DatabaseUrl": Output("DatabaseUrl", foundation),
        "OrderQueueUrl": Output("OrderQueueUrl", foundation),
        "PaymentSecretArn": "",
    }


def test_on_the_emulator_the_stores_are_the_targets_own() -> None:
    given = brought(planned("emulator"), "onsale-demo-service").parameters
    assert given["DatabaseUrl"] == Fact("database_url")
    assert given["EndpointUrl"] == Fact("endpoint_url")


def test_the_secret_that_the_foundation_makes_is_used_where_the_stage_names_none() -> None:
    foundation = made({}, {"PaymentSecretArn": {"Value": "x"}, "OrderQueueUrl": {"Value": "x"}})
    what = package(foundation)
    used = {"target": "emulator", "what": what}
    made_one = brought(planned(**used), "onsale-demo-service").parameters["PaymentSecretArn"]  # type: ignore[arg-type]
    assert made_one == Output("PaymentSecretArn", "onsale-demo-foundation")
    own = replace(ISSUED, payment_secret_arn="arn:aws:secretsmanager:x")
    given = brought(planned("emulator", own, what), "onsale-demo-service").parameters["PaymentSecretArn"]
    assert given == "arn:aws:secretsmanager:x"


def test_a_stage_without_an_issuer_can_be_planned_for_aws_and_says_what_it_lacks() -> None:
    demo = stage_settings("demo")
    (obstacle,) = planned("aws", demo).obstacles
    assert re.search(r"auth_issuer and no auth_jwks_url.*under \[demo\]", obstacle)
    assert planned("emulator", demo).obstacles == planned("aws").obstacles == ()


def test_a_plan_without_a_zip_is_shown_and_says_why_there_is_none() -> None:
    found = planned(what=dataclasses.replace(package(), unbuilt="psycopg has no wheel."))
    assert found.obstacles == ("psycopg has no wheel.",)
    assert as_text(found).endswith("Before it can be executed:\n  - psycopg has no wheel.")


def test_a_parameter_that_nobody_gives_is_named_before_anything_is_done() -> None:
    service = made({"Colour": {"Type": "String"}})
    with pytest.raises(Unplannable, match="onsale-demo-service needs Colour"):
        planned(what=package(service=service))


def test_localstack_gets_everything_and_is_said_to_need_docker() -> None:
    found = planned("localstack")
    assert "must have been started by docker-compose.localstack.yml" in as_text(found)


def test_the_foundation_alone_can_be_asked_for() -> None:
    found = plan("demo", ISSUED, "localstack", package(), foundation_only=True)
    stacks = [step.stack for step in found.steps if isinstance(step, Bring)]
    assert stacks == ["onsale-artifacts", "onsale-demo-foundation"]
    assert not any(isinstance(step, Check) for step in found.steps)


def test_a_protected_stage_has_protected_stacks() -> None:
    found = planned(settings=replace(ISSUED, protected=True))
    assert all(step.protected for step in found.steps if isinstance(step, Bring))
    assert not brought(planned(), "onsale-demo-service").protected


def test_two_plans_of_the_same_are_the_same_text() -> None:
    assert as_text(planned()) == as_text(planned())
    assert planned() == planned()


def test_the_text_shows_steps_parameters_and_references() -> None:
    shown = as_text(planned())
    assert "1. Create or update the stack onsale-artifacts, with termination protection" in shown
    assert "2. Upload the code of every function (12,345 bytes), unless it is there" in shown
    assert "     OrderQueueUrl = output OrderQueueUrl of onsale-demo-foundation" in shown
    assert "7. Ask the service of onsale-demo-service for /ready, for up to 60 s" in shown
    assert "database_url of the target" in as_text(planned("emulator"))


def test_templates_and_document_have_every_stack_of_the_plan() -> None:
    found, what = planned(), package()
    stacks = {"onsale-artifacts", "onsale-demo-foundation", "onsale-demo-service"}
    assert set(as_document(found, what)["templates"]) == stacks
    assert all(f"--- {stack}: templates/" in templates_as_text(found, what) for stack in stacks)
    assert json.loads(json.dumps(as_document(found, what)))["steps"][0]["type"] == "stack"


def test_a_key_changes_with_the_template() -> None:
    assert made({}).key != made({"Stage": ANY}).key
    assert isinstance(planned().steps[1], Upload)


def test_settings_are_given_as_cloudformation_writes_values() -> None:
    given = literals("demo", ISSUED, "aws")
    assert given["Protected"] == "false"
    assert given["WafRequestsPer5Minutes"] == "1000"
    assert given["MinimumAcu"] == "0.5"


def test_yaml_with_short_forms_is_read_like_json() -> None:
    found = template(
        "Parameters: {A: {Type: String}}\nResources: {Q: !Foo x}\n".replace("!Foo x", "{Type: !Sub x}")
    )
    assert found.needed == {"A"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "no Resources"),
        ("Resources: [", "neither JSON nor YAML"),
        (json.dumps({"Resources": {"Q": QUEUE}, "Description": "x" * 1_000_001}), "Split the stack"),
    ],
)
def test_what_is_no_template_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadTemplate, match=said):
        template(text)
