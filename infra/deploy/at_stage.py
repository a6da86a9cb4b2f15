"""How a verb is told which stage it is about and where, and how it says what went wrong there.

The one place where exceptions of the deployment become sentences of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

import click
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.account import Account, at_endpoint, in_localstack, on_aws
from infra.deploy.faults import Fault, explained
from infra.deploy.plan import Unplannable
from infra.deploy.stage import BadStage
from infra.deploy.steps import TargetKind
from infra.emulator import running
from infra.emulator.homes import NoRoom
from infra.local.background import DoesNotStop
from infra.local.tenancy import CannotStart
from infra.stacks.template import BadTemplate

Command = TypeVar("Command", bound=Callable[..., Any])

TARGETS = get_args(TargetKind)
STAGE = "One of infra/stacks/stages.toml."

target_option = click.option(
    "--target",
    type=click.Choice(TARGETS),
    default="aws",
    show_default=True,
    help="AWS itself, LocalStack at port 4566, or the emulated AWS of this machine.",
)


def at_stage(command: Command) -> Command:
    """Adds --stage, --target, --region, --profile and --state-dir, which `account_at` takes."""
    return _with_options(command, click.option("--stage", required=True, help=STAGE))


def at_stage_or_demo(command: Command) -> Command:
    """The same for a verb that harms no stage that somebody needs: without --stage it is `demo`."""
    return _with_options(command, click.option("--stage", default="demo", show_default=True, help=STAGE))


def at_stage_if_given(command: Command) -> Command:
    """The same for a verb that without --stage is about the stack that `up` runs."""
    stage = "Of a deployment, one of infra/stacks/stages.toml.  [default: what `up` runs]"
    state_dir = "The state directory that `up`, or the emulated AWS, was given."
    return _with_options(command, click.option("--stage", help=stage), state_dir)


def _with_options(
    command: Command,
    stage: Callable[[Command], Command],
    state_dir: str = "Where the emulated AWS keeps its files.",
) -> Command:
    for add in (
        click.option("--state-dir", envvar="STATE_DIR", help=state_dir),
        click.option("--profile", help="Of the AWS configuration.  [default: AWS_PROFILE's]"),
        click.option("--region", help="Of AWS.  [default: AWS_REGION's, or the profile's]"),
        target_option,
        stage,
    ):
        command = add(command)
    return command


def account_at(
    target: TargetKind, stage: str, region: str | None, profile: str | None, state_dir: str | None
) -> Account:
    """The account that a stage is deployed to; the emulator only where the stage lives on it.

    Raises Fault, whose message says what to do, and botocore's exceptions.
    """
    if target == "aws":
        return on_aws(region, profile)
    if target == "localstack":
        return in_localstack(region)
    found = running.running(state_dir, stage)
    if found is None:
        raise Fault(
            f"Stage {stage} is not on the emulated AWS of this machine, or that does not run."
            f" `python -m infra deploy --stage {stage} --target emulator` starts it and deploys there."
        )
    return _emulated(found)


def account_to_deploy_to(
    target: TargetKind, stage: str, region: str | None, profile: str | None, state_dir: str | None
) -> Account:
    """The same, for a deployment: the emulator is started, and the stage gets its place on it."""
    if target != "emulator":
        return account_at(target, stage, region, profile, state_dir)
    return _emulated(running.ensure_running(state_dir, stage))


@contextmanager
def told(target: TargetKind = "aws") -> Iterator[None]:
    """Within it, what goes wrong at an account becomes a click.ClickException with a sentence."""
    try:
        yield
    except (Fault, BadStage, BadTemplate, Unplannable, CannotStart, DoesNotStop, NoRoom) as error:
        raise click.ClickException(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise click.ClickException(explained(error, target) or str(error)) from error


def _emulated(found: Any) -> Account:
    facts = {"database_url": found.database_url, "valkey_url": found.valkey_url, "url": found.url}
    return at_endpoint("emulator", found.endpoint_url, facts)
