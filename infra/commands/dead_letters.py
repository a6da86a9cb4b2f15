"""`dead-letters`: the messages that failed by themselves, over the service's own API under /ops.

List them, look at one, see what a redrive would do, put them on the order queue again, or give them up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import click

from infra.commands.dead_letter_calls import PATH, dead, deleted, listed, redriven
from infra.operator import at_service, operator_of

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(help=__doc__)
def dead_letters() -> None:
    """Reads nothing by itself."""


def narrowed(command: Command) -> Command:
    """Adds the filters; the command is given them as `event`, `buyer` and `reason`."""
    for add in (
        click.option("--reason", help="Only those whose recorded error contains this text."),
        click.option("--buyer", help="Only this buyer's."),
        click.option("--event", type=int, help="Only those of this event."),
    ):
        command = add(command)
    return command


@dead_letters.command("ls")
@narrowed
@click.option("--state", type=click.Choice(["failing", "dead", "redriven", "deleted"]), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@at_service
def list_them(limit: int, url: str, token: str, state_dir: str, *, as_json: bool, **filters: Any) -> None:
    """List messages that failed, newest first."""
    operator = operator_of(url, token, state_dir)
    total, items = listed(operator, limit, filters)
    if as_json:
        click.echo(json.dumps({"items": items, "total": total}, indent=2))
        return
    for item in items:
        click.echo(_line(item))
    click.echo(f"{len(items):,} of {total:,} shown")


@dead_letters.command()
@click.argument("message")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@at_service
def show(message: str, url: str, token: str, state_dir: str, *, as_json: bool) -> None:
    """Show one message: its failures, and what a redrive would do now."""
    found = operator_of(url, token, state_dir).get(f"{PATH}/{quote(message, safe='')}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name in ("messageId", "state", "orderId", "eventId", "userId", "failures", "recordedAt", "movedAt"):
        click.echo(f"{name:<12}{_plain(found[name])}")
    click.echo(f"{'replay':<12}{found['replay']['verdict']}: {_plain(found['replay']['detail'])}")
    for attempt in found["attempts"]:
        click.echo(f"{'attempt':<12}{attempt['failedAt']}  {_plain(attempt['reason'])}")
    click.echo(f"{'body':<12}{_plain(found['body'][:2_000])}")


@dead_letters.command()
@click.argument("messages", nargs=-1)
@narrowed
@click.option("--all", "everything", is_flag=True, help="All, also those that SQS buried by itself.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@click.option("--why", default="", help="Kept in the log of actions.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs; takes --yes or --dry-run.")
@at_service
def redrive(  # noqa: PLR0913 - one for each option
    messages: tuple[str, ...],
    url: str,
    token: str,
    state_dir: str,
    why: str,
    *,
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """Put messages on the order queue again: those named, those that match, or --all."""
    selection = _selection(messages, filters, everything=everything)
    operator = operator_of(url, token, state_dir)
    foreseen = operator.post(f"{PATH}/dry-run", selection)
    if dry_run and as_json:
        click.echo(json.dumps(foreseen, indent=2))
        return
    if not as_json:
        click.echo(_forecast(foreseen))
    if dry_run:
        return
    _confirm("Redrive them?", yes=yes, as_json=as_json)
    result = redriven(operator, {**selection, "reason": why}, quiet=as_json)
    click.echo(json.dumps(result) if as_json else f"{result['moved']:,} redriven, {result['left']:,} left")


@dead_letters.command()
@click.argument("messages", nargs=-1)
@narrowed
@click.option("--why", required=True, help="Kept in the log of actions.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs; takes --yes.")
@at_service
def delete(  # noqa: PLR0913 - one for each option
    messages: tuple[str, ...],
    url: str,
    token: str,
    state_dir: str,
    why: str,
    *,
    yes: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """Give messages up: those named, or those that match. An order without an answer is cancelled."""
    _selection(messages, filters, everything=False)
    operator = operator_of(url, token, state_dir)
    ids = list(messages) or [each["messageId"] for each in dead(operator, filters)]
    if not as_json:
        click.echo(f"{len(ids):,} to be deleted; an order that has no answer yet is cancelled.")
    _confirm("Delete them for good?", yes=yes, as_json=as_json)
    done = deleted(operator, ids, why, quiet=as_json)
    click.echo(json.dumps(done) if as_json else f"{done['deleted']:,} deleted, {done['left']:,} left")
    if done["left"]:
        raise click.ClickException(
            "What is left was not found in time, or its order cannot be cancelled: look at it with `show`, "
            "mend the cause, then try again."
        )


def _selection(messages: Sequence[str], filters: dict[str, Any], *, everything: bool) -> dict[str, Any]:
    """The selection of the contract. Raises click.UsageError unless it is said in exactly one way."""
    names = {"event": "eventId", "buyer": "userId", "reason": "reason"}
    given = {names[name]: value for name, value in filters.items() if value is not None}
    if bool(messages) + bool(given) + everything != 1:
        raise click.UsageError(
            "Name message ids, or narrow with --event, --buyer and --reason, or (to redrive) say --all: "
            "exactly one of these. `dead-letters ls` shows what there is."
        )
    if messages:
        return {"messageIds": list(messages)}
    return {"filter": given} if given else {"all": True}


def _confirm(question: str, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json:
        raise click.UsageError("--json does not ask: say --yes.")
    click.confirm(question, abort=True)


def _forecast(foreseen: dict[str, Any]) -> str:
    if not foreseen["items"]:
        return "The ledger knows of none that lies dead here."
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(foreseen["totals"].items()))
    return f"would be: {told}" + (" (of the newest; there are more)" if foreseen["truncated"] else "")


def _line(item: dict[str, Any]) -> str:
    whose = f"event {item['eventId']}  {_plain(item['userId'])}" if item["eventId"] else "unreadable"
    reason = _plain(item["reason"].partition("\n")[0][:80])
    return (
        f"{_plain(item['messageId']):<38}{item['state']:<10}{item['recordedAt'][:19]}  "
        f"{item['failures']} failures  {whose}  {reason}"
    )


def _plain(value: object) -> str:
    """What a message says may be anything: nothing of it moves the cursor."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(value))
