"""`deploy`: brings a stage to what this checkout holds; a plan first, its execution second.

A repetition without a change does nothing. What fails is rolled back, and the cause is told in one sentence.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import click
from rich.console import Console

from infra.deploy.account import Account
from infra.deploy.at_stage import account_to_deploy_to, at_stage_or_demo, told
from infra.deploy.bring import Manner
from infra.deploy.execute import Execution
from infra.deploy.faults import Fault
from infra.deploy.packaging import packaged
from infra.deploy.plan import Package, Unplannable, plan, unset
from infra.deploy.progress import Progress
from infra.deploy.show import as_document, as_text, templates_as_text
from infra.deploy.stage import stage_settings
from infra.deploy.standing import outputs_of
from infra.deploy.steps import Plan, TargetKind
from infra.prewarm.session import Session


@click.command(help=__doc__)
@at_stage_or_demo
@click.option("--foundation-only", is_flag=True, help="Leave the service out: what keeps data, alone.")
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
    foundation_only: bool,
    only_plan: bool,
    wait: bool,
    accept_loss: bool,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when the stage is not as wished in the end."""
    with told(target), Progress(Console(stderr=True)) as progress:
        settings = stage_settings(stage)
        _refuse(None if only_plan else unset(stage, settings, target))
        package = packaged(stage, settings, target, progress.now)
        wanted = plan(stage, settings, target, package, foundation_only=foundation_only)
        if only_plan:
            _show(wanted, package, as_json=as_json)
            return
        _refuse(" ".join(wanted.obstacles))
        account = account_to_deploy_to(target, stage, region, profile, state_dir)
        # The first call: whoever has no credentials hears it now, and which account this is.
        progress.line(f"account {account.who()}, region {account.region}")
        refuse_while_raised(Session(account, stage, settings, {}, datetime.now(UTC)))
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


def _refuse(why: str | None) -> None:
    if why:
        raise Unplannable(why)


def refuse_while_raised(session: Session) -> None:
    """Raises Fault when environments of the stage are being kept ready now."""
    if until := session.raised_until():
        raise Fault(
            f"Stage {session.stage} is prewarmed until {until:%Y-%m-%d %H:%M} UTC, and Lambda shifts no"
            " traffic between versions of what is. Deploy after that, or lower it first:"
            f" `python -m infra prewarm --stage {session.stage} --lower`."
        )


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
