"""`deploy`: brings a stage to what this checkout holds; a plan first, its execution second.

A repetition without a change does nothing. What fails is rolled back, and the cause is told in one sentence.
"""

from __future__ import annotations

import json
import time

import click
from rich.console import Console

from infra.deploy.account import Account
from infra.deploy.at_stage import account_to_deploy_to, at_stage, told
from infra.deploy.bring import Manner
from infra.deploy.execute import Execution
from infra.deploy.packaging import packaged
from infra.deploy.plan import Package, check_settings, plan
from infra.deploy.progress import Progress
from infra.deploy.show import as_document, as_text, templates_as_text
from infra.deploy.stage import stage_settings
from infra.deploy.standing import outputs_of
from infra.deploy.steps import Plan, TargetKind


@click.command(help=__doc__)
@at_stage
@click.option("--plan", "only_plan", is_flag=True, help="Print plan and templates; needs no account.")
@click.option("--wait", is_flag=True, help="Wait when somebody else is changing a stack.")
@click.option("--accept-loss", is_flag=True, help="Even if what keeps data is removed or replaced.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: the plan, or the outputs.")
def deploy(  # noqa: PLR0913 - an option each
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    *,
    only_plan: bool,
    wait: bool,
    accept_loss: bool,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when the stage is not as wished in the end."""
    with told(target), Progress(Console(stderr=True)) as progress:
        settings = stage_settings(stage)
        check_settings(stage, settings, target)
        package = packaged(stage, settings, target, progress.now)
        wanted = plan(stage, settings, target, package)
        if only_plan:
            _show(wanted, package, as_json=as_json)
            return
        account = account_to_deploy_to(target, stage, region, profile, state_dir)
        # The first call: whoever has no credentials hears it now, and which account this is.
        progress.line(f"account {account.who()}, region {account.region}")
        began = time.monotonic()
        manner = Manner(progress.line, progress.now, wait=wait, accept_loss=accept_loss)
        try:
            changed = Execution(wanted, package, account, manner).run()
        except KeyboardInterrupt as error:
            raise click.ClickException(_interrupted(stage, target)) from error
        outputs = outputs_of(account, stage)
    if as_json:
        click.echo(json.dumps({"stage": stage, "target": target, "changed": changed, "outputs": outputs}))
        return
    for remark in wanted.remarks:
        click.echo(remark)
    click.echo(_ending(stage, account, outputs, time.monotonic() - began, changed=changed))


def _show(wanted: Plan, package: Package, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(as_document(wanted, package), indent=2))
        return
    click.echo(as_text(wanted))
    click.echo(templates_as_text(wanted, package))


def _interrupted(stage: str, target: TargetKind) -> str:
    return (
        "You stopped watching; what CloudFormation has begun goes on. Follow it with"
        f" `python -m infra status --stage {stage} --target {target}`; deploying again waits with --wait."
    )


def _ending(stage: str, account: Account, outputs: dict[str, str], seconds: float, *, changed: bool) -> str:
    said = (
        f"deployed in {seconds:.0f} s" if changed else "nothing to do: everything is as this checkout has it"
    )
    address = account.facts.get("url") or outputs.get("EndpointURL")
    return f"{stage}: {said}\n{address}" if address else f"{stage}: {said}"
