"""`down`: stops the running stack and returns when nothing of it is left."""

from __future__ import annotations

import click

from infra.local.background import DoesNotStop, stop
from infra.local.layout import Layout
from infra.local.stack import DRAIN_SECONDS


@click.command(help=__doc__)
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
def down(state_dir: str | None) -> None:
    """Says so, and succeeds, when nothing runs."""
    layout = Layout.at(state_dir)
    try:
        stopped = stop(layout, patience_seconds=2 * DRAIN_SECONDS + 30)
    except DoesNotStop as error:
        raise click.ClickException(str(error)) from error
    click.echo("stopped; the data is kept" if stopped else f"Nothing runs in {layout.root}.")
