"""`cost`: the bill of an on-sale on AWS by service, from what was measured here and list prices.

Asks nobody: the prices are in infra/cost/prices.json, each with its source and its date.
"""

from __future__ import annotations

import click
import msgspec
from rich.console import Console

from infra.capacity.limits import catalogue
from infra.cost.onsale import Answer, reckon
from infra.cost.prices import list_prices
from infra.cost.sale import Impossible, OnSale
from infra.cost.standing import Standing
from infra.cost.table import WIDTH, bill_table, remarks, saved_table


@click.command(help=__doc__)
@click.option("--tickets", type=click.IntRange(1, 100_000_000), required=True, help="On sale; all are sold.")
@click.option(
    "--attempts",
    type=click.IntRange(1, 10_000_000_000),
    required=True,
    help="POST /orders in all, for one ticket each.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 1_440),
    default=10.0,
    show_default=True,
    help="How long the crowd comes, at an even rate.",
)
@click.option(
    "--polls-per-order",
    type=click.FloatRange(0, 1_000),
    help="How often a buyer asks for the decision.  [default: from how long they wait]",
)
@click.option(
    "--prepare-minutes",
    type=click.FloatRange(0, 44_640),
    default=Standing().prepare_minutes,
    show_default=True,
    help="How long before the sale its stores are up.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def cost(  # noqa: PLR0913 - an option each
    *,
    tickets: int,
    attempts: int,
    minutes: float,
    polls_per_order: float | None,
    prepare_minutes: float,
    as_json: bool,
) -> None:
    """Exits with 2 when there can be no such sale."""
    try:
        sale = OnSale(tickets=tickets, attempts=attempts, minutes=minutes, polls_per_order=polls_per_order)
    except Impossible as error:
        raise click.UsageError(str(error)) from error
    found = reckon(sale, catalogue(), list_prices(), around=Standing(prepare_minutes=prepare_minutes))
    if as_json:
        click.echo(msgspec.json.encode(document(found)))
        return
    console = Console(width=WIDTH, highlight=False)
    for drawn in (bill_table(found), saved_table(found), *remarks(found)):
        console.print(drawn)


def document(found: Answer) -> dict[str, object]:
    """The answer as the JSON object has it, with the prices of its lines and what was measured of ours."""
    used = {each.position.price for each in found.bill.lines}
    return {
        **msgspec.to_builtins(found),
        "prices": [msgspec.to_builtins(price) for price in list_prices().prices if price.name in used],
        "measured": msgspec.to_builtins(catalogue().measured),
    }
