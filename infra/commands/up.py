"""`up`: starts the whole service on this machine and keeps it alive until Ctrl-C."""

from __future__ import annotations

import re
import sys
import time

import click

from infra.local.background import leave_running
from infra.local.layout import Layout
from infra.local.localstack import NotThere
from infra.local.stack import Plan, Stack
from infra.local.stores import NotAnswering
from infra.local.supervisor import StartFailed, Stopped
from infra.local.tenancy import CannotStart


@click.command(help=__doc__)
@click.option("--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--state-dir", envvar="STATE_DIR", help="Where data, logs and state are kept.  [default: .onsale]"
)
@click.option("--workers", envvar="WORKERS", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--aws", envvar="AWS", default="embedded", type=click.Choice(["embedded", "localstack"]))
@click.option("--processes", envvar="HTTP_PROCESSES", default=Plan.processes, show_default=True)
@click.option("--threads", envvar="HTTP_THREADS", default=Plan.threads, show_default=True)
@click.option(
    "--reconcile-seconds", envvar="RECONCILE_SECONDS", default=Plan.reconcile_seconds, show_default=True
)
@click.option(
    "--visibility-seconds",
    envvar="VISIBILITY_SECONDS",
    default=Plan.visibility_seconds,
    show_default=True,
    type=click.IntRange(1, 43_200),
    help="Until a killed worker's messages come back.",
)
@click.option(
    "--claim-overdue-ms",
    envvar="CLAIM_OVERDUE_MS",
    default=Plan.claim_overdue_ms,
    show_default=True,
    type=click.IntRange(1),
    help="Until an undecided order goes on the queue again.",
)
@click.option(
    "--database-url", envvar="ONSALE_DATABASE_URL", default="", help="Use this PostgreSQL and start none."
)
@click.option("--valkey-url", envvar="ONSALE_VALKEY_URL", default="", help="Use this Valkey and start none.")
@click.option(
    "--auth-mode",
    envvar="AUTH_MODE",
    default="open",
    show_default=True,
    type=click.Choice(["open", "jwt"]),
    help="jwt: callers must show a token; `token` makes one.",
)
@click.option(
    "--auth-issuer", envvar="AUTH_ISSUER", default="", help="With --auth-jwks-url: the tokens' iss."
)
@click.option("--auth-audience", envvar="AUTH_AUDIENCE", default=Plan.auth_audience, help="The tokens' aud.")
@click.option("--auth-jwks-url", envvar="AUTH_JWKS_URL", default="", help="Take this issuer's tokens.")
@click.option("--detach", is_flag=True, help="Come back once it is ready; stop it with `down`.")
def up(state_dir: str | None, *, detach: bool, **asked: object) -> None:
    """Runs in the foreground, or with `detach` leaves a supervisor behind."""
    layout = Layout.at(state_dir)
    if detach:
        _leave_running(layout)
        return
    try:
        _run(Stack(layout, Plan(**asked)))  # type: ignore[arg-type]
    except (CannotStart, NotAnswering, NotThere, StartFailed, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error


def _run(stack: Stack) -> None:
    began = time.monotonic()
    try:
        stack.start()
        click.echo(_welcome(stack, time.monotonic() - began))
        stack.run()
        click.echo("stopping: first the door, then what was accepted, then the stores")
    except Stopped:
        click.echo("stopping before it was ready")
    finally:
        stack.stop()


def _leave_running(layout: Layout) -> None:
    words = ["infra", *(word for word in sys.argv[1:] if word != "--detach")]
    try:
        click.echo(leave_running(layout, words, "up.log"))
    except CannotStart as error:
        raise click.ClickException(str(error)) from error


def _welcome(stack: Stack, seconds: float) -> str:
    environment = stack.environment()
    json = "-H 'Content-Type: application/json'"
    event = '{"name": "Night One", "description": "Doors at 8", "totalTickets": 1000}'
    order = '{"eventId": 1, "quantity": 1, "userId": "ada"}'
    tokens = stack.plan.auth_mode == "jwt"
    organiser, buyer = (_header(stack, who) if tokens else "" for who in ("olga --role organiser", "ada"))
    return "\n".join(
        [
            f"ready {stack.url}",
            "",
            f"  docs      {stack.url}/docs",
            f"  console   {stack.url}/console",
            f"  postgres  {_shown(environment['DATABASE_URL'])}",
            f"  valkey    {_shown(environment['VALKEY_URL'])}",
            f"  sqs       {environment['ORDER_QUEUE_URL']}",
            f"  logs      {stack.layout.logs}",
            "",
            "Try, in another terminal:",
            f"  curl {stack.url}/events{organiser} {json} -d '{event}'",
            f"  curl -i {stack.url}/orders{buyer} {json} -d '{order}'",
            f"  curl {stack.url}/orders/<id>{buyer}      # the Location of the answer above",
            "",
            f"Started in {seconds:.1f} s. Ctrl-C stops everything and keeps the data.",
        ]
    )


def _header(stack: Stack, who: str) -> str:
    """The option that sends a token; the stack's own issuer makes it, another's is a place to fill in."""
    made = "<token>" if stack.plan.auth_jwks_url else f"$({sys.executable} -m infra token --user {who})"
    return f' -H "Authorization: Bearer {made}"'


def _shown(address: str) -> str:
    """Without its password."""
    return re.sub(r"(//[^/@:]*:)[^/@]*@", r"\1***@", address)
