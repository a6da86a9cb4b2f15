"""Makes what a plan is about: the zip and the three templates. Needs files and processes, and no account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.deploy.faults import Fault
from infra.deploy.foundation import STACKS, foundation_template
from infra.deploy.plan import Package, literals
from infra.deploy.service import NotPackaged, service_template
from infra.deploy.stage import StageSettings
from infra.deploy.steps import TargetKind
from infra.deploy.template import template
from infra.local.layout import CHECKOUT, Layout
from infra.package.build import Unfit, build
from infra.package.collect import Unexpected
from infra.package.compiled import NotCompiled
from infra.package.pins import NotPinned
from infra.package.platforms import this_machine
from infra.package.wheels import NoWheel


def packaged(
    stage: str,
    settings: StageSettings,
    target: TargetKind,
    tell: Callable[[str], None],
    checkout: Path = CHECKOUT,
) -> Package:
    """What `stage` gets of `checkout` at `target`; nothing is built again that has not changed.

    Raises Fault when it cannot be made, and BadTemplate.
    """
    try:
        return _packaged(stage, settings, target, tell, checkout)
    except (NoWheel, NotPinned, NotCompiled, Unexpected, Unfit, NotPackaged) as error:
        raise Fault(str(error)) from error


def _packaged(
    stage: str,
    settings: StageSettings,
    target: TargetKind,
    tell: Callable[[str], None],
    checkout: Path,
) -> Package:
    kept = Layout.at(None if checkout == CHECKOUT else checkout / ".onsale").root / "build"
    # The emulator runs the zip on this machine, whatever the stage has on AWS.
    architecture = this_machine() if target == "emulator" else settings.architecture
    built = build(architecture, kept / "zip", checkout=checkout, cache=kept, tell=tell)
    key = f"code/{built.sha256}.zip"
    service = service_template(
        key,
        architecture=built.architecture,
        target=target,
        parameters=literals(stage, settings, target),
        runtime=f"python{built.python}",
        checkout=checkout,
    )
    return Package(
        code=built.path,
        code_key=key,
        code_bytes=built.size_bytes,
        artifacts=template((STACKS / "artifacts.yaml").read_text(encoding="utf-8")),
        foundation=template(foundation_template(stage)),
        service=template(service),
    )
