"""`env`: the running stack's settings as `export` lines, for `eval "$(python -m infra env)"`."""

from __future__ import annotations

import json
import shlex

import click

from infra.local.layout import Layout


@click.command(help=__doc__)
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def env(state_dir: str | None, *, as_json: bool) -> None:
    """Exits with 1 and a sentence when nothing runs."""
    layout = Layout.at(state_dir)
    found = layout.running_state()
    if found is None:
        raise click.ClickException(f"Nothing runs in {layout.root}. Start it with `make up`.")
    settings: dict[str, str] = found["environment"]
    if as_json:
        click.echo(json.dumps(settings, indent=2))
        return
    for name, value in settings.items():
        click.echo(f"export {name}={shlex.quote(value)}")
