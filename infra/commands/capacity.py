"""`capacity`: says which limits bind for an on-sale of a given size, and what to request or set.

Asks nobody: the limits are in `infra/capacity/limits.json`, each with its source and its date.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.console import Console

from infra.capacity.demand import Assumptions, Sale
from infra.capacity.limits import catalogue
from infra.capacity.plan import Plan, conclusion, plan
from infra.capacity.table import WIDTH, table


@click.command(help=__doc__)
@click.option("--attempts-per-second", type=click.FloatRange(min=1, max=10_000_000), required=True)
@click.option("--tickets", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option(
    "--refusal-ms", type=click.FloatRange(min=0.1), help="A refusal in the function, when measured."
)
@click.option("--accept-ms", type=click.FloatRange(min=0.1), help="An accepted order, when measured.")
@click.option("--attempt-ecpu", type=click.FloatRange(min=0.1), help="ECPU of an attempt, when measured.")
@click.option("--all", "whole", is_flag=True, help="Show limits that fit twice over, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def capacity(
    *,
    refusal_ms: float | None,
    accept_ms: float | None,
    attempt_ecpu: float | None,
    as_json: bool,
    whole: bool,
    **asked: Any,
) -> None:
    """Exits with 0 whatever binds: it was asked, and it has answered."""
    assumed = Assumptions(attempt_ecpu=attempt_ecpu)
    made = plan(Sale(**asked), catalogue(), assumed, refusal_ms=refusal_ms, accept_ms=accept_ms)
    if as_json:
        click.echo(msgspec.json.encode(document(made)))
        return
    console = Console(width=WIDTH)
    console.print(table(made, whole=whole))
    console.print(conclusion(made), soft_wrap=True, highlight=False)


def document(made: Plan) -> dict[str, object]:
    """The plan as the JSON object has it, with the figures of ours and the conclusion."""
    return {
        "conclusion": conclusion(made),
        **msgspec.to_builtins(made),
        "measured": msgspec.to_builtins(catalogue().measured),
    }
