"""The plan of a deployment: steps in their order, with every value that is known without an account.

Pure, and made without network: what only an account knows stands in it as a reference (`Output`, `Fact`),
which `execute.py` looks up when it gets there. So a plan can be printed, compared and tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.deploy.names import ARTIFACTS, Names
from infra.deploy.stage import StageSettings, missing_on_aws
from infra.deploy.steps import Bring, Check, Fact, Output, Plan, Step, TargetKind, Upload, Value
from infra.deploy.template import Template

READY_SECONDS = 60
"""A first answer takes a cold start, a network interface and, after a pause, a waking database."""


class Unplannable(ValueError):
    """There can be no such deployment. The message says why, and what to do."""


@dataclass(frozen=True)
class Package:
    """What is deployed: the code, and the three templates."""

    code: Path
    code_key: str
    """Where it lies in the bucket of artifacts: a name that changes with every byte."""
    code_bytes: int
    artifacts: Template
    foundation: Template
    service: Template


LOCALSTACK_REMARK = (
    "The service is left out: LocalStack runs functions in Docker containers only, which reach neither the"
    " ledger nor the gate of this machine. For the whole, use --target emulator."
)


def check_settings(stage: str, settings: StageSettings, target: TargetKind) -> None:
    """Raises Unplannable when the stage cannot be at `target`; before anything is packaged for it."""
    if target == "aws" and (lacking := missing_on_aws(settings)):
        raise Unplannable(
            f"Stage {stage} has no {' and no '.join(lacking)}: on AWS the service asks for tokens, and must"
            f" know whose. Set them under [{stage}] in infra/stacks/stages.toml."
        )


def plan(stage: str, settings: StageSettings, target: TargetKind, package: Package) -> Plan:
    """The steps that bring `package` to `stage` at `target`. Raises Unplannable."""
    check_settings(stage, settings, target)
    names = Names(stage)
    artifacts = _bring(ARTIFACTS, package.artifacts, {}, protected=True, tags={"application": "onsale"})
    foundation = _foundation(names, settings, target, package)
    template_upload = _uploaded(package.foundation, f"template of {names.foundation}")
    if target == "localstack":
        return Plan(stage, target, (artifacts, template_upload, foundation), (LOCALSTACK_REMARK,))
    steps: tuple[Step, ...] = (
        artifacts,
        Upload(package.code_key, package.code_bytes, "code of every function"),
        template_upload,
        _uploaded(package.service, f"template of {names.service}"),
        foundation,
        _service(names, settings, target, package),
        Check(names.service, READY_SECONDS),
    )
    return Plan(stage, target, steps)


def _foundation(names: Names, settings: StageSettings, target: TargetKind, package: Package) -> Bring:
    given = _given(names.stage, settings, target)
    return _bring(names.foundation, package.foundation, given, settings.protected, _tags(names.stage))


def _service(names: Names, settings: StageSettings, target: TargetKind, package: Package) -> Bring:
    outputs = package.foundation.outputs
    if target != "aws":
        outputs -= package.foundation.only_on_aws
    given: dict[str, Value] = {name: Output(name, names.foundation) for name in sorted(outputs)}
    given |= _given(names.stage, settings, target)
    if target != "aws":
        given |= {
            "EndpointUrl": Fact("endpoint_url"),
            "DatabaseUrl": Fact("database_url"),
            "ValkeyUrl": Fact("valkey_url"),
        }
    # A setting that is empty must not hide what the foundation has made.
    if not settings.payment_secret_arn and "PaymentSecretArn" in outputs:
        given["PaymentSecretArn"] = Output("PaymentSecretArn", names.foundation)
    return _bring(names.service, package.service, given, settings.protected, _tags(names.stage))


def literals(stage: str, settings: StageSettings, target: TargetKind) -> dict[str, str]:
    """The parameters whose values no stack has to say: the stage's settings, by their CamelCase names.

    A template has more values than it declares parameters for; `plan` leaves those out.
    """
    kept = {_camel(name): _text(getattr(settings, name)) for name in settings.__struct_fields__}
    return {**kept, "Stage": stage, "Target": target}


def _given(stage: str, settings: StageSettings, target: TargetKind) -> dict[str, Value]:
    bucket: Value = Output("ArtifactBucket", ARTIFACTS)
    return {**literals(stage, settings, target), "ArtifactBucket": bucket}


def _bring(
    stack: str,
    what: Template,
    given: Mapping[str, Value],
    protected: bool,
    tags: dict[str, str],
) -> Bring:
    """Gives the template what it declares, and leaves out the rest. Raises Unplannable when it needs more."""
    if lacking := sorted(what.needed - set(given)):
        raise Unplannable(
            f"The template of {stack} needs {', '.join(lacking)}, which no setting and no other stack gives."
        )
    parameters = {name: given[name] for name in sorted(what.parameters & set(given))}
    return Bring(stack, what.key, stack != ARTIFACTS, parameters, protected, tags)


def _uploaded(what: Template, name: str) -> Upload:
    return Upload(what.key, what.size_bytes, name)


def _tags(stage: str) -> dict[str, str]:
    return {"application": "onsale", "stage": stage}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
