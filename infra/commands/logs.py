"""`logs`: reads the log lines of a deployed stage, of one FUNCTION or of all of them in the order of time.

FUNCTION is door, fulfil, reconcile, expire, watch, migrate, or all. Ctrl-C ends --follow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import ConnectionError as Unreachable
from botocore.exceptions import HTTPClientError
from rich.console import Console

from infra.deploy.at_stage import account_at, at_stage, told
from infra.deploy.names import Names
from infra.deploy.steps import TargetKind
from infra.logs.lines import line_of
from infra.logs.reading import read
from infra.logs.tail import Event, Tail
from infra.logs.words import as_json, chosen, moment, shown


@click.command(help=__doc__)
@at_stage
@click.argument("function", default="all")
@click.option("--since", default="10m", show_default=True, help="Such as 90s, 2h, 1d, 2026-11-28T20:00:00Z.")
@click.option("--follow", is_flag=True, help="Go on with new lines as they come.")
@click.option("--filter", "text", help="Only lines that contain this, such as the id of an order.")
@click.option("--raw", is_flag=True, help="Lines as they are, Lambda's own and mere metrics too.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
def logs(  # noqa: PLR0913, PLR0917 - an option each
    function: str,
    stage: str,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    since: str,
    text: str | None,
    *,
    follow: bool,
    raw: bool,
    as_lines: bool,
) -> None:
    """Exits with 1 and a sentence when the logs cannot be read, or there is no such function."""
    names = Names(stage)
    short = {_short(names, each): each for each in names.functions}
    groups = {each: names.log_group(each) for each in _chosen(function, short)}
    began = _since(since)
    console = Console(highlight=False)
    words = {name: each for each, name in short.items()}
    with told(target), suppress(KeyboardInterrupt):
        client = account_at(target, stage, region, profile, state_dir).client("logs")
        for event in _events(client, groups, began, text, follow=follow):
            line = line_of(event.function, event.at_ms, event.text)
            if raw and not as_lines:
                click.echo(line.raw)
            elif raw or text is not None or not line.noise:
                _print(console, as_json(line) if as_lines else shown(line, words, max(map(len, short))))


def _print(console: Console, what: Any) -> None:
    if isinstance(what, str):
        click.echo(what)
    else:
        console.print(what, soft_wrap=True)


def _events(
    client: Any, groups: dict[str, str], began: datetime, text: str | None, *, follow: bool
) -> Iterator[Event]:
    """What there is, and with `follow` what comes; a connection that is lost meanwhile leaves no gap."""
    tail = Tail(int(began.timestamp() * 1_000))
    asked_ms = time.time_ns() // 1_000_000
    yield from tail.fresh(asked_ms, read(client, groups, tail.since_ms, text))
    while follow:
        time.sleep(FOLLOW_SECONDS)
        asked_ms = time.time_ns() // 1_000_000
        try:
            found = list(read(client, groups, tail.since_ms, text))
        except (Unreachable, HTTPClientError) as error:
            click.echo(f"… no connection ({type(error).__name__}); trying again", err=True)
            continue
        yield from tail.fresh(asked_ms, found)


FOLLOW_SECONDS = 2.0
"""Between two looks: six groups then take three of the ten calls a second that CloudWatch Logs allows."""


def _short(names: Names, function: str) -> str:
    return function.removeprefix(names.prefix).removeprefix("-") or "door"


def _chosen(function: str, short: dict[str, str]) -> tuple[str, ...]:
    try:
        return chosen(function, short)
    except KeyError as error:
        known = ", ".join(short)
        raise click.BadParameter(f"there is no function {function}; there are {known}, and all.") from error


def _since(said: str) -> datetime:
    try:
        return moment(said, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(f"{said} is no time: {error}.", param_hint="--since") from error
