"""`python -m infra bench`: measures the limits of this machine and ours beside them, on a stack of its own.

Nobody's data is touched: the stack has free ports and a temporary directory. Exit 0 when everything was
measured, whether or not a target was met; 1 when a measurement was not what it says it is.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
import psycopg
from rich.console import Console
from rich.progress import Progress

from infra.bench.bench import STAGES, BenchPlan, BenchResult, run_bench
from infra.bench.figures import Target
from infra.bench.own_stack import BenchFault
from infra.bench.table import WIDTH, table
from infra.local.layout import Layout
from infra.rush.service import ServiceFault


@click.command(help="Measure the limits of this machine, and ours beside them.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1, max=5),
    default=2.0,
    show_default=True,
    help="Length of one repetition; each measurement has three.",
)
@click.option(
    "--orders",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="Orders in the end-to-end run.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="Keep the stack's data and logs there.  [default: a temporary directory, removed at the end]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def bench(*, state_dir: Path | None, as_json: bool, **figures: Any) -> None:
    """The variable STATE_DIR is not read: it names a stack with somebody's data."""
    try:
        with _ending_well(), _directory(state_dir) as root:
            result = _measure(BenchPlan(**figures), root)
    except (BenchFault, ServiceFault, psycopg.Error) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(msgspec.json.encode(document(result)))
    else:
        _print(result)


def document(result: BenchResult) -> dict[str, Any]:
    """The result as the JSON object has it: each target with its verdict beside the figures."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    plain["targets"] = [_judged(target) for target in result.targets]
    return plain


def _judged(target: Target) -> dict[str, Any]:
    return {**msgspec.to_builtins(target), "met": target.met, "margin": round(target.margin, 3)}


def _measure(plan: BenchPlan, root: Path) -> BenchResult:
    if not sys.stderr.isatty():
        return run_bench(plan, root)
    # Drawn twice a second and no more: it runs on the cores that are measured.
    with Progress(console=Console(stderr=True), refresh_per_second=2, transient=True) as progress:
        bar = progress.add_task("", total=STAGES)
        return run_bench(
            plan, root, lambda name, done: progress.update(bar, description=name, completed=done)
        )


def _print(result: BenchResult) -> None:
    Console(width=WIDTH).print(table(result))


@contextmanager
def _ending_well() -> Iterator[None]:
    """A polite kill leaves by the same way as Ctrl-C, on which the stack is stopped and removed."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _directory(asked: Path | None) -> Iterator[Path]:
    if asked is None:
        with tempfile.TemporaryDirectory(prefix="onsale-bench-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    if Layout.at(asked).is_locked():
        raise BenchFault(f"A stack runs in {asked}; the benchmark needs a directory of its own.")
    yield asked
