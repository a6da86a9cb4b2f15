"""`prewarm`: has AWS make environments ready before an on-sale, and remove them after it, by itself.

Without --now it is scheduled around the event's salesOpenAt, and nobody's terminal need be open. What is
raised is always scheduled to be lowered; on an emulator, which has no schedules, only --lower lowers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from infra.commands.report import Moment
from infra.deploy.at_stage import account_at, at_stage, told
from infra.deploy.faults import Fault
from infra.deploy.health import address_of
from infra.deploy.stage import stage_settings
from infra.deploy.standing import outputs_of
from infra.deploy.steps import TargetKind
from infra.operator import operator_of
from infra.prewarm.asked import Refused, Wish, opening
from infra.prewarm.provisioned import Failed
from infra.prewarm.session import Done, Session
from infra.prewarm.waiting import watched


@click.command(help=__doc__)
@at_stage
@click.option("--event", type=click.IntRange(1, 2**31 - 1), help="Whose salesOpenAt, and whose window.")
@click.option("--concurrency", type=click.IntRange(1, 100_000), help="Environments of the door.")
@click.option("--at", "opens_at", type=Moment(), help="When it opens.  [default: the event's salesOpenAt]")
@click.option("--minutes-before", type=click.FloatRange(1, 1_440), default=10.0, show_default=True)
@click.option("--minutes-after", type=click.FloatRange(1, 1_440), default=30.0, show_default=True)
@click.option("--now", "how", flag_value="now", help="Raise at once, and schedule the lowering.")
@click.option("--lower", "how", flag_value="lower", help="Lower at once: for --event, or whatever is raised.")
@click.option("--plan", "how", flag_value="plan", help="Say what would be done, and do nothing.")
@click.option("--stores", is_flag=True, help="Raise what gate and ledger have ready, too, an hour earlier.")
@click.option("--token", envvar="ONSALE_TOKEN", help="Shows the service who asks for the event.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def prewarm(  # noqa: PLR0913, PLR0917 - an option each
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    event: int | None,
    concurrency: int | None,
    opens_at: datetime | None,
    minutes_before: float,
    minutes_after: float,
    how: str | None,
    token: str | None,
    *,
    stores: bool,
    as_json: bool,
) -> None:
    """Exits with 1 and a sentence when it cannot be raised, or lowered."""
    now = datetime.now(UTC)
    with told(target):
        account = account_at(target, stage, region, profile, state_dir)
        session = Session(account, stage, stage_settings(stage), outputs_of(account, stage), now)
        if how == "lower":
            _tell(session.lower(event), as_json=as_json)
            return
        if concurrency is None:
            raise click.UsageError("--concurrency is missing: `python -m infra capacity` says how many.")
        if opens_at is None and event is None and how != "now":
            raise click.UsageError("Give --event, or the time it opens by --at.")
        try:
            if opens_at is None and event is not None:
                found = _event(session, event, token, state_dir)
                opens_at = now if how == "now" and not found.get("salesOpenAt") else opening(found)
            wish = Wish(
                event=event or 0,
                opens_at=opens_at or now,
                concurrency=concurrency,
                before=timedelta(minutes=minutes_before),
                after=timedelta(minutes=minutes_after),
            )
            _tell(_done(session, wish, how, stores=stores, as_json=as_json), as_json=as_json)
        except Refused as error:
            raise click.ClickException(str(error)) from error


def _done(session: Session, wish: Wish, how: str | None, *, stores: bool, as_json: bool) -> Done:
    if how == "plan":
        return session.plan(wish)
    if how is None:
        return session.schedule(wish, stores=stores)
    done = session.raise_now(wish, stores=stores)
    try:
        watched(session.alias, done.amount, shown=not as_json)
    except Failed as error:
        raise click.ClickException(
            f"Lambda could not make the environments: {error}. `python -m infra logs --stage {session.stage}"
            " door --raw` shows how they start; what is there will be lowered as scheduled, or by --lower."
        ) from error
    return done


def _event(session: Session, event: int, token: str | None, state_dir: str | None) -> dict[str, Any]:
    """The event as the deployed service has it."""
    if "EndpointURL" not in session.outputs:
        raise Fault("The service is not deployed there; give --at, the time it opens, or deploy first.")
    service = operator_of(address_of(session.outputs), token, state_dir)
    return service.get(f"/events/{event}")


def _tell(done: Done, *, as_json: bool) -> None:
    click.echo(json.dumps(msgspec.to_builtins(done), indent=2) if as_json else "\n".join(done.said))
