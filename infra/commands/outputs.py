"""`outputs`: the addresses and names that a stage's stacks put out."""

from __future__ import annotations

import json
import re
import shlex

import click

from infra.deploy.at_stage import account_at, at_stage, told
from infra.deploy.standing import not_deployed, outputs_of
from infra.deploy.steps import TargetKind


@click.command(help=__doc__)
@at_stage
@click.option("--env", "as_env", is_flag=True, help="As exports for a shell: ONSALE_ENDPOINT_URL=...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def outputs(  # noqa: PLR0913 - an option each
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    *,
    as_env: bool,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when the stage is not deployed."""
    with told(target):
        account = account_at(target, stage, region, profile, state_dir)
        found = outputs_of(account, stage)
    if not found:
        raise click.ClickException(not_deployed(stage, target))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif as_env:
        click.echo(
            "\n".join(f"export {variable(name)}={shlex.quote(value)}" for name, value in found.items())
        )
    else:
        width = max(map(len, found))
        click.echo("\n".join(f"{name:<{width}}  {value}" for name, value in found.items()))


def variable(output: str) -> str:
    """`EndpointURL` is ONSALE_ENDPOINT_URL."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", output)
    return "_".join(("ONSALE", *(word.upper() for word in words)))
