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
from infra.stacks.template import Template

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
    unbuilt: str = ""
    """Why there is no zip of it on this machine; empty when there is one."""


LOCALSTACK_REMARK = (
    "LocalStack runs each function in a container of its own: it must have been started by"
    " docker-compose.localstack.yml, which gives it Docker. Without, there is --foundation-only."
)


def unset(stage: str, settings: StageSettings, target: TargetKind) -> str | None:
    """A sentence about the settings that the stage cannot do without at `target`; None when it has them."""
    lacking = missing_on_aws(settings) if target == "aws" else []
    if not lacking:
        return None
    return (
        f"Stage {stage} has no {' and no '.join(lacking)}: on AWS the service asks for tokens, and must"
        f" know whose. Set them under [{stage}] in infra/stacks/stages.toml."
    )


def plan(
    stage: str,
    settings: StageSettings,
    target: TargetKind,
    package: Package,
    *,
    foundation_only: bool = False,
) -> Plan:
    """The steps that bring `package` to `stage` at `target`; `foundation_only` leaves the service out.

    Raises Unplannable when a template asks for what nobody gives.
    """
    names = Names(stage)
    artifacts = _bring(ARTIFACTS, package.artifacts, {}, protected=True, tags={"application": "onsale"})
    foundation = _foundation(names, settings, target, package)
    template_upload = _uploaded(package.foundation, f"template of {names.foundation}")
    obstacles = tuple(each for each in (unset(stage, settings, target), package.unbuilt) if each)
    if foundation_only:
        return Plan(stage, target, (artifacts, template_upload, foundation), (), obstacles)
    steps: tuple[Step, ...] = (
        artifacts,
        Upload(package.code_key, package.code_bytes, "code of every function"),
        template_upload,
        _uploaded(package.service, f"template of {names.service}"),
        foundation,
        _service(names, settings, target, package),
        Check(names.service, READY_SECONDS),
    )
    remarks = (LOCALSTACK_REMARK,) if target == "localstack" else ()
    return Plan(stage, target, steps, remarks, obstacles)


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
