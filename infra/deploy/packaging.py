"""Makes what a plan is about: the zip and the three templates. Needs files and processes, and no account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.deploy.faults import Fault
from infra.deploy.plan import Package, literals
from infra.deploy.stage import StageSettings
from infra.deploy.steps import TargetKind
from infra.local.layout import CHECKOUT, Layout
from infra.package.build import Built, Unfit, build
from infra.package.collect import Unexpected
from infra.package.compiled import NotCompiled
from infra.package.pins import NotPinned
from infra.package.platforms import this_machine
from infra.package.wheels import NoWheel
from infra.stacks.foundation import STACKS, foundation_template
from infra.stacks.service import NotPackaged, service_template
from infra.stacks.template import template
from infra.stacks.transform import NotTransformed, transformed

UNKNOWN = "unbuilt"
"""Stands for the zip's hash where there is no zip."""


def packaged(
    stage: str,
    settings: StageSettings,
    target: TargetKind,
    tell: Callable[[str], None],
    checkout: Path = CHECKOUT,
) -> Package:
    """What `stage` gets of `checkout` at `target`; nothing is built again that has not changed.

    Where this machine cannot make the zip, the package has the reason in `unbuilt`: it can be looked at, and
    not deployed. Raises Fault when a template cannot be made, and BadTemplate.
    """
    # An emulator runs the zip on this machine, whatever the stage has on AWS.
    architecture = settings.architecture if target == "aws" else this_machine()
    built, unbuilt = _built(architecture, tell, checkout)
    key = f"code/{built.sha256 if built else UNKNOWN}.zip"
    try:
        service = service_template(
            key,
            architecture=architecture,
            target=target,
            parameters=literals(stage, settings, target),
            runtime=f"python{built.python}" if built else None,
            checkout=checkout,
        )
        if target == "localstack":  # it looks for what SAM has still to make, before it lets SAM make it
            service = transformed(service)
    except (NotPackaged, NotTransformed) as error:
        raise Fault(f"{error}.") from error
    return Package(
        code=built.path if built else Path(),
        code_key=key,
        code_bytes=built.size_bytes if built else 0,
        artifacts=template((STACKS / "artifacts.yaml").read_text(encoding="utf-8")),
        foundation=template(foundation_template(stage)),
        service=template(service),
        unbuilt=unbuilt,
    )


def _built(architecture: str, tell: Callable[[str], None], checkout: Path) -> tuple[Built | None, str]:
    """The zip, or why there is none."""
    kept = Layout.at(None if checkout == CHECKOUT else checkout / ".onsale").root / "build"
    try:
        return build(architecture, kept / "zip", checkout=checkout, cache=kept, tell=tell), ""
    except (NoWheel, NotPinned, NotCompiled, Unexpected, Unfit) as error:
        return None, f"{error}."
