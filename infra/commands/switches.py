"""`pause`, `resume` and `close`: the switches of a sale, and of fulfilment as a whole, with the reason why.

While a sale is paused, new orders are refused and accepted ones are finished. While fulfilment is paused,
orders are accepted and wait on the queue.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import click

from infra.operator import Operator, at_service, operator_of

_event = click.argument("event", type=click.IntRange(1, 2**31 - 1), required=False)
_reason = click.option("--reason", default="", help="Why; it is kept in the operators' log.")
_fulfilment = click.option("--fulfilment", is_flag=True, help="Switch the queue's function, not a sale.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the service's answer as JSON.")


@click.command(
    help="Refuse new orders of EVENT for a while; with --fulfilment: decide no orders for a while."
)
@_event
@_reason
@_fulfilment
@_as_json
@at_service
def pause(event: int | None, reason: str, *, fulfilment: bool, as_json: bool, **where: str | None) -> None:
    """Exits with 1 and a sentence when the service says no."""
    _switch("pause", event, reason, fulfilment=fulfilment, as_json=as_json, service=operator_of(**where))


@click.command(help="Take orders of EVENT again; with --fulfilment: decide orders again.")
@_event
@_reason
@_fulfilment
@_as_json
@at_service
def resume(event: int | None, reason: str, *, fulfilment: bool, as_json: bool, **where: str | None) -> None:
    """Exits with 1 and a sentence when the service says no."""
    _switch("resume", event, reason, fulfilment=fulfilment, as_json=as_json, service=operator_of(**where))


@click.command(help="End the sale of EVENT for good; accepted orders are finished.")
@click.argument("event", type=click.IntRange(1, 2**31 - 1))
@_reason
@click.option("--yes", is_flag=True, help="Do not ask.")
@_as_json
@at_service
def close(event: int, reason: str, *, yes: bool, as_json: bool, **where: str | None) -> None:
    """Exits with 1 and a sentence when the service says no, or nobody says yes."""
    service = operator_of(**where)
    if not yes:
        name = service.get(f"/events/{event}")["name"]
        click.confirm(f"Close the sale of event {event} ({name}) for good?", abort=True, err=True)
    _switch("close", event, reason, fulfilment=False, as_json=as_json, service=service)


def _switch(  # noqa: PLR0913
    verb: str, event: int | None, reason: str, *, fulfilment: bool, as_json: bool, service: Operator
) -> None:
    if fulfilment == (event is not None):
        raise click.UsageError("Name an EVENT, or give --fulfilment.")
    if fulfilment:
        found = service.post(f"/ops/fulfilment/{verb}", {"reason": reason})
        said = f"fulfilment  {found['state']}"
    else:
        query = f"?{urlencode({'reason': reason})}" if reason else ""
        found = service.post(f"/events/{event}/{verb}{query}")
        said = f"event {event}  {found['status']}"
    click.echo(_json(found) if as_json else said)


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2)
