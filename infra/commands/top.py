"""`top`: watches a sale live in the terminal: its tickets, its sell curve, the queue, alarms and latencies.

Without EVENT it watches the newest event that sells. Ctrl-C ends it.
"""

from __future__ import annotations

import json
import time

import click
from rich.console import Console
from rich.live import Live

from infra.operator import at_service, operator_of
from infra.top.screen import frame
from infra.top.snapshot import newest_that_sells, take


@click.command(help=__doc__)
@click.argument("event", type=click.IntRange(1, 2**31 - 1), required=False)
@click.option(
    "--seconds", default=300, show_default=True, type=click.IntRange(1, 18_000), help="Of the curve."
)
@click.option("--every", default=1.0, show_default=True, type=click.FloatRange(0.2), help="Seconds a look.")
@click.option("--once", is_flag=True, help="Draw one frame and leave.")
@click.option("--json", "as_json", is_flag=True, help="Print one look as JSON and leave.")
@at_service
def top(  # noqa: PLR0913, PLR0917 - one for each option
    event: int | None,
    seconds: int,
    every: float,
    url: str | None,
    token: str | None,
    state_dir: str | None,
    *,
    once: bool,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when the service does not answer at the start."""
    service = operator_of(url, token, state_dir)
    stage = service.get("/ops/me")["stage"]
    event_id = newest_that_sells(service) if event is None else event
    shot = take(service, event_id, stage, seconds)
    if as_json:
        click.echo(json.dumps(shot.as_json(), indent=2))
        return
    console = Console()
    if once:
        console.print(frame(shot))
        return
    with Live(frame(shot), console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(every)
                live.update(frame(take(service, event_id, stage, seconds)), refresh=True)
        except KeyboardInterrupt:
            return
