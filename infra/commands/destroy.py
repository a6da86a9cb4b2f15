"""`destroy`: takes a stage down, the service first, then what it keeps; the database leaves a last snapshot.

A protected stage is refused. The bucket with code and templates stays: other stages are deployed from it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click
from rich.console import Console

from infra.deploy.account import Account
from infra.deploy.at_stage import account_at, at_stage, told
from infra.deploy.bring import Manner, Tell
from infra.deploy.destroying import (
    Leftovers,
    destroy_artifacts,
    logs_left,
    refusal,
    remaining_stages,
    stacks_of,
)
from infra.deploy.destroying import destroy as take_down
from infra.deploy.names import ARTIFACTS
from infra.deploy.progress import Progress
from infra.deploy.stage import stage_settings
from infra.deploy.standing import outputs_of
from infra.deploy.steps import TargetKind
from infra.prewarm.session import Session


@click.command(help=__doc__)
@at_stage
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--artifacts", is_flag=True, help="The stack of artifacts, too, when no other stage is left.")
def destroy(  # noqa: PLR0913 - an option each
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    *,
    yes: bool,
    artifacts: bool,
) -> None:
    """Exits with 1 and a sentence when anything of the stage is still there in the end."""
    with told(target):
        settings = stage_settings(stage)
        # Before anybody is asked: whoever has no credentials hears this, too.
        _refuse(refusal(stage, (), protected=settings.protected))
        account = account_at(target, stage, region, profile, state_dir)
        looks = stacks_of(account, stage)
        _refuse(refusal(stage, looks, protected=settings.protected))
        if looks and not yes:
            _ask(stage, account, [look.name for look in looks])
        with Progress(Console(stderr=True)) as progress:
            manner = Manner(progress.line, progress.now)
            session = Session(account, stage, settings, outputs_of(account, stage), datetime.now(UTC))
            lower_all(session, manner.tell)
            left = take_down(account, looks, manner)
            stays = _artifacts(account, manner, remove=artifacts)
        click.echo(f"{stage}: {'gone' if looks else 'nothing of it is there'}")
        for line in _lines(left, logs_left(account, stage), stays):
            click.echo(line)
        if target == "emulator":
            _leave_the_emulator(state_dir, stage)


def lower_all(session: Session, tell: Tell) -> None:
    """Lowers what is raised or planned: schedules belong to no stack, and would outlive the stage."""
    if session.windows():
        for line in session.lower(None).said:
            tell(line)


def _refuse(why: str | None) -> None:
    if why:
        raise click.ClickException(why)


def _ask(stage: str, account: Account, names: list[str]) -> None:
    click.echo(f"This deletes {' and '.join(names)} of account {account.who()}, region {account.region}.")
    if click.prompt("The stage's name, to go on", default="", show_default=False) != stage:
        raise click.ClickException("That is not the stage's name. Nothing was changed.")


def _lines(left: Leftovers, logs: list[str], artifacts: str) -> list[str]:
    lines = [f"stays: snapshot {each}" for each in left.snapshots]
    lines += [f"stays: {each}" for each in left.retained]
    lines += [f"stays: log group {each}" for each in logs]
    return [*lines, f"stays: {artifacts}"] if artifacts else lines


def _artifacts(account: Account, manner: Manner, *, remove: bool) -> str:
    """What stays of the stages' common bucket, with the reason; empty: nothing."""
    if others := remaining_stages(account):
        return f"{ARTIFACTS}; {', '.join(others)} needs it"
    if not remove:
        return f"{ARTIFACTS}; --artifacts removes it"
    bucket = destroy_artifacts(account, manner)
    return f"the bucket {bucket}; empty and delete it when nothing needs its code" if bucket else ""


def _leave_the_emulator(state_dir: str | None, stage: str) -> None:
    from infra.emulator import running

    if running.leave(state_dir, stage):
        click.echo("stopped the emulated AWS: no stage is left on it")
