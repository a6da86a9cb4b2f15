"""`find`: finds orders of the running service by anything that they are known by.

TEXT is an order's id, a buyer, an idempotency key, or the id of a message that failed. When it means exactly
one order, what happened to that order is told as well.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console

from infra.operator import Operator, at_service, operator_of
from infra.order_story import matches, story

NARROWEST = 130
"""Columns when nobody looks at a terminal: a pipe gets whole lines."""


@click.command(help=__doc__)
@click.argument("text", metavar="ORDER|BUYER|KEY")
@click.option("--event", type=int, help="Orders of this event only.  [default: of all events]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@at_service
def find(  # noqa: PLR0913 - one for each option
    text: str, event: int | None, url: str | None, token: str | None, state_dir: str | None, *, as_json: bool
) -> None:
    """Exits with 0 when something was found, 1 when nothing was or the service says no."""
    operator = operator_of(url, token, state_dir)
    found = operator.get("/ops/find", q=text, eventId=event)
    told = _timeline(operator, found)
    if as_json:
        click.echo(json.dumps(found | {"timeline": told}, indent=2))
    else:
        _print(found, told, text)
    sys.exit(0 if found["items"] else 1)


def _timeline(operator: Operator, found: dict[str, Any]) -> dict[str, Any] | None:
    """What happened to the order, if it is one and can be read."""
    ids = [item["orderId"] for item in found["items"]]
    if len(ids) != 1 or ids[0] is None:
        return None
    return operator.get(f"/ops/orders/{ids[0]}/timeline")


def _print(found: dict[str, Any], told: dict[str, Any] | None, text: str) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    if found["items"]:
        console.print(matches(found["items"]))
    else:
        click.echo(f"No order is known by {text!r}.")
    if found["truncated"]:
        click.echo("There may be more: name the event with --event, or the order by its id.")
    if told is not None:
        console.print(story(told))
