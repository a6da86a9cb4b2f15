"""`python -m infra rush`: plays an on-sale against a running stack, reports and audits it.

Finds the stack, or the stage on the emulator, with its ledger by the state directory; `infra/rush/` plays.
Exit 0 when the audit passed, 1 when it failed, 2 when there was nothing to play against.
With `--chaos` faults strike the stack meanwhile (`infra/chaos/`), and the audit is of every order.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
import psycopg
import valkey
from click.core import ParameterSource

from chalicelib.errors import Unavailable
from infra.audit.read_ledger import NoSuchEvent
from infra.chaos.run import PLAN as CHAOS_PLAN
from infra.chaos.run import ChaosResult, Play, run_chaos
from infra.chaos.seen import chaos_lines
from infra.chaos.strike import NotOurs
from infra.emulator import running as emulator
from infra.local.issuer import token_if_needed
from infra.local.layout import Layout
from infra.rush.ledger import read_ledger
from infra.rush.plan import RushPlan
from infra.rush.progress import Bars, Unseen
from infra.rush.recorded import run_recorded_rush
from infra.rush.report import report
from infra.rush.result import RushResult
from infra.rush.rush import run_rush
from infra.rush.service import ServiceFault

CHAOS_HELP = (
    "Strike the running stack meanwhile; --seed names the faults, too. Unless told otherwise: "
    + ", ".join(f"{name.replace('_', ' ')} {value:,g}" for name, value in CHAOS_PLAN.items())
    + "."
)
CANNOT = (
    ServiceFault,
    NotOurs,
    NoSuchEvent,
    Unavailable,
    ValueError,
    OSError,
    psycopg.Error,
    valkey.ValkeyError,
)
AT_LEAST_ONE = click.IntRange(min=1)


@click.command()
@click.option("--tickets", type=AT_LEAST_ONE, default=1_000, show_default=True, help="Tickets there are.")
@click.option("--buyers", type=AT_LEAST_ONE, default=5_000, show_default=True, help="People, one order each.")
@click.option("--concurrency", type=AT_LEAST_ONE, default=64, show_default=True, help="Connections.")
@click.option("--quantity", type=AT_LEAST_ONE, default=1, show_default=True, help="Tickets in an order.")
@click.option(
    "--over-seconds", default=0.0, help="Spread the crowd over so long.  [default: as it is answered]"
)
@click.option("--seed", default=1, show_default=True, help="Names the crowd; the same seed, the same buyers.")
@click.option("--decide-seconds", default=60.0, show_default=True, help="Wait for every order's answer.")
@click.option("--settle-seconds", default=10.0, show_default=True, help="Wait for the stores to agree.")
@click.option("--url", help="The service; by default the running stack's.")
@click.option("--state-dir", envvar="STATE_DIR", help="Where the running stack keeps its state.")
@click.option("--chaos", is_flag=True, help=CHAOS_HELP)
@click.option(
    "--history",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where its history goes; by default history/rush.jsonl beside the running stack's state.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def rush(  # noqa: PLR0913 - one for each option
    context: click.Context,
    /,
    *,
    url: str | None,
    state_dir: str | None,
    history: Path | None,
    as_json: bool,
    chaos: bool,
    **figures: Any,
) -> None:
    """Send a crowd of buyers to a running stack, then audit it."""
    layout = Layout.at(state_dir)
    at, dsn = find(url, state_dir)
    if chaos:
        if dsn is None:
            raise click.UsageError(f"{at} is not the stack that runs here: chaos strikes no other")
        figures = CHAOS_PLAN | {name: figures[name] for name in figures if _given(context, name)}
    if dsn is None and (emulated := emulator.stage_at(at, state_dir)):
        layout, dsn = emulator.layout_at(state_dir), emulated.database_url
    plan = RushPlan(url=at, **figures)
    play = _play(plan, layout, dsn, history)
    try:
        with Bars() if not as_json and sys.stderr.isatty() else nullcontext(Unseen()) as steps:
            result = run_chaos(plan, layout, steps, play) if chaos else play(steps=steps)
    except CANNOT as error:
        click.echo(f"cannot rush {at}: {error}", err=True)
        sys.exit(2)
    click.echo(msgspec.json.encode(result) if as_json else coloured("\n".join(_lines(result))))
    sys.exit(0 if result.audit.passed else 1)


def coloured(text: str) -> str:
    """Marks what passed green and what failed red; click takes the colours off where nobody sees them."""
    for mark, colour in (("✓", "green"), ("✗", "red"), ("audit passed", "green"), ("audit FAILED", "red")):
        text = text.replace(mark, click.style(mark, fg=colour, bold=True))
    return "".join(click.style(part, fg="cyan") if part in set("▁▂▃▄▅▆▇█") else part for part in text)


def find(url: str | None, state_dir: str | None) -> tuple[str, str | None]:
    """The service's URL and its ledger's dsn: the running stack's, or `url` with no ledger if it is another.

    Raises click.UsageError when no URL is given and no stack has left its state.
    """
    state: dict[str, Any] = Layout.at(state_dir).read_state() or {}
    running: str | None = state.get("http", {}).get("url")
    if url is None and running is None:
        raise click.UsageError("no stack is running here: start one with `make up`, or give --url")
    at = (url or running or "").rstrip("/")
    ours = running is not None and at == running.rstrip("/")
    return at, state["postgres"]["dsn"] if ours else None


def _play(plan: RushPlan, layout: Layout, dsn: str | None, history: Path | None) -> Play:
    """The rush with all that the running stack's state says; against another service, with what there is."""
    if dsn is None:
        return partial(run_recorded_rush, plan, history, dsn) if history else partial(run_rush, plan)
    environment = (layout.read_state() or {}).get("environment", {})
    file = history or layout.history / "rush.jsonl"
    passes = partial(token_if_needed, environment)
    return partial(run_recorded_rush, plan, file, dsn, read_ledger=partial(read_ledger, dsn), passes=passes)


def _lines(result: RushResult) -> list[str]:
    return report(result, chaos_lines(result.chaos) if isinstance(result, ChaosResult) else [])


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT
