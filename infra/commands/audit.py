"""`audit`: walks every order of an event in the ledger, in the gate and on both queues of the running stack.

Prints every promise with its figures, and names what does not add up. Messages that wait on a queue are
taken and given back, which counts as one of the receipts that each of them has.
"""

from __future__ import annotations

import sys

import click
import msgspec

from infra.audit.evidence import Evidence
from infra.local.layout import Layout
from infra.rush.report import audit_lines


@click.command(help=__doc__)
@click.argument("event", type=int)
@click.option("--settle-seconds", default=10.0, show_default=True, help="Wait for the stores to agree.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
def audit(event: int, settle_seconds: float, state_dir: str | None, *, as_json: bool) -> None:
    """Exits with 0 when everything adds up, 1 when something does not, 2 when it could not be looked at."""
    import psycopg
    import valkey

    from chalicelib.errors import Unavailable
    from infra.audit.read_ledger import NoSuchEvent
    from infra.audit.walk import Places, walk

    layout = Layout.at(state_dir)
    state = layout.running_state()
    if state is None:
        raise click.ClickException(f"Nothing runs in {layout.root}. Start it with `make up`.")
    queues = state["sqs"]
    places = Places(
        state["postgres"]["dsn"], state["valkey"]["url"], queues["queueUrl"], queues["deadLetterUrl"]
    )
    try:
        evidence, found = walk(places, event, settle_seconds)
    except (NoSuchEvent, psycopg.Error, valkey.ValkeyError, Unavailable) as error:
        click.echo(f"cannot audit event {event}: {error}", err=True)
        sys.exit(2)
    click.echo(
        msgspec.json.encode(found) if as_json else "\n".join([_figures(evidence), *audit_lines(found)])
    )
    sys.exit(0 if found.passed else 1)


def _figures(evidence: Evidence) -> str:
    types = evidence.ledger.types
    pending = sum(item.quantity for claim in evidence.undecided() for item in claim.items or ())
    stock = evidence.gate.stock
    available = "?" if stock is None else f"{sum(stock.values()):,}"
    return (
        f"event {evidence.event_id}: {sum(kind.capacity for kind in types):,} tickets = "
        f"{sum(kind.sold for kind in types):,} sold + {sum(kind.reserved for kind in types):,} reserved + "
        f"{pending:,} pending + {available} available; {len(evidence.ledger.orders):,} orders decided"
    )
