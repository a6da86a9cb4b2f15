"""`down`: stops the running stack and returns when nothing of it is left."""

from __future__ import annotations

import click
import psutil

from infra.local.children import end
from infra.local.layout import Layout
from infra.local.stack import DRAIN_SECONDS
from infra.local.tenancy import leftovers


@click.command(help=__doc__)
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
def down(state_dir: str | None) -> None:
    """Says so, and succeeds, when nothing runs."""
    layout = Layout.at(state_dir)
    state = layout.read_state()
    if state is None:
        click.echo(f"Nothing runs in {layout.root}.")
        return
    _end_supervisor(layout, state["supervisor"]["pid"])
    for found in reversed(leftovers(state)):
        process = found.process()
        if process is not None:
            end(process, found.stop_signal)
    layout.state_file.unlink(missing_ok=True)
    click.echo("stopped; the data is kept")


def _end_supervisor(layout: Layout, pid: int) -> None:
    try:
        supervisor = psutil.Process(pid)
        if not layout.is_locked():
            return  # the number belongs to somebody else by now
        supervisor.terminate()
        supervisor.wait(timeout=2 * DRAIN_SECONDS + 30)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired as error:
        raise click.ClickException(f"Process {pid} does not stop; look at {layout.logs}.") from error
