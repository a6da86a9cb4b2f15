"""`emulator`: the emulated AWS account on this machine, which `deploy --target emulator` starts by itself."""

from __future__ import annotations

import json

import click

from infra.emulator import running
from infra.local.background import DoesNotStop
from infra.local.tenancy import CannotStart

_state_dir = click.option("--state-dir", envvar="STATE_DIR", help="It lives in `emulator` below this.")


@click.group(help=__doc__)
def emulator() -> None:
    """Nothing of its own."""


@emulator.command()
@_state_dir
def start(state_dir: str | None) -> None:
    """Start it in the background; what was deployed to it before is there again."""
    try:
        running.start(state_dir)
    except CannotStart as error:
        raise click.ClickException(str(error)) from error
    click.echo(_table(running.facts(state_dir)))


@emulator.command()
@_state_dir
def stop(state_dir: str | None) -> None:
    """Stop it; what is deployed to it is kept."""
    try:
        stopped = running.stop(state_dir)
    except DoesNotStop as error:
        raise click.ClickException(str(error)) from error
    click.echo("stopped; what is deployed is kept" if stopped else "No emulator runs.")


@emulator.command()
@_state_dir
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(state_dir: str | None, *, as_json: bool) -> None:
    """Show its address, and each stage that lives on it."""
    found = running.facts(state_dir)
    if not found:
        raise click.ClickException(
            "No emulator runs. Start it with `python -m infra emulator start`,"
            " or deploy: `python -m infra deploy --target emulator`."
        )
    click.echo(json.dumps(found, indent=2) if as_json else _table(found))


def _table(found: dict[str, dict[str, str]]) -> str:
    return "\n".join(
        f"{name:<12}{key:<10}{value}" for name, facts in found.items() for key, value in facts.items()
    )
