"""`doctor`: looks at everything that a deployment needs, in its order, and says what to do about the rest.

✓ is as it should be, ✗ would stop a deployment, – is worth knowing.
"""  # noqa: RUF002 - the sign that is shown

from __future__ import annotations

import json

import click
import msgspec
from rich.console import Console

from infra.deploy.at_stage import account_at, at_stage, told
from infra.deploy.steps import TargetKind
from infra.doctor.examination import examine
from infra.doctor.findings import Finding, State, line, stands_in_the_way


@click.command(help=__doc__)
@at_stage
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def doctor(  # noqa: PLR0913 - an option each
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    *,
    as_json: bool,
) -> None:
    """Exits with 1 when anything would stop a deployment."""
    console = Console(highlight=False)
    found: list[Finding] = []
    with told(target):
        for finding in examine(stage, target, lambda: account_at(target, stage, region, profile, state_dir)):
            found.append(finding)
            if not as_json:
                console.print(line(finding), soft_wrap=True)
    if as_json:
        document = {"stage": stage, "target": target, "findings": msgspec.to_builtins(found)}
        click.echo(json.dumps(document, indent=2))
    else:
        console.print(_conclusion(found))
    if stands_in_the_way(found):
        raise click.exceptions.Exit(1)


def _conclusion(found: list[Finding]) -> str:
    wrong = sum(finding.state is State.BAD for finding in found)
    if wrong:
        return f"{wrong} thing{'s' if wrong > 1 else ''} would stop a deployment."
    return "Nothing stands in the way of a deployment."
