"""`token`: makes a token that the running stack takes, when it was started with AUTH_MODE=jwt.

For example: curl -H "Authorization: Bearer $(python -m infra token --user ada)" ...
"""

from __future__ import annotations

import json
import time
from typing import Any

import click

from chalicelib.identity.principal import Role
from chalicelib.identity.tokens import LONGEST_SUBJECT
from infra.local import issuer
from infra.local.layout import Layout

HOUR = 3_600
DAY = 24 * HOUR


@click.command(help=__doc__)
@click.option("--user", required=True, help="Who its bearer is: a buyer's userId.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    default=["buyer"],
    show_default=True,
    help="May be given several times.",
)
@click.option(
    "--ttl", default=HOUR, show_default=True, type=click.IntRange(1, DAY), help="Seconds that it is good for."
)
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
@click.option("--json", "as_json", is_flag=True, help="Print the token with its claims' times as JSON.")
def token(user: str, roles: tuple[str, ...], ttl: int, state_dir: str | None, *, as_json: bool) -> None:
    """Exits with 1 and a sentence when the stack takes no tokens of ours."""
    if not 0 < len(user) <= LONGEST_SUBJECT or not user.isprintable():
        raise click.BadParameter(f"has 1 to {LONGEST_SUBJECT} printable characters", param_hint="--user")
    environment = _environment(Layout.at(state_dir))
    now = int(time.time())
    made = issuer.token(environment, user, [Role(role) for role in roles], now, ttl)
    facts = {"token": made, "user": user, "roles": list(roles), "expiresAt": now + ttl}
    click.echo(json.dumps(facts, indent=2) if as_json else made)


def _environment(layout: Layout) -> dict[str, str]:
    state: dict[str, Any] | None = layout.running_state()
    if state is None:
        raise click.ClickException(
            f"Nothing runs in {layout.root}. Start it with `make up AUTH_MODE=jwt`, or give --state-dir."
        )
    environment: dict[str, str] = state["environment"]
    if environment.get("AUTH_MODE") != "jwt":
        raise click.ClickException("The stack asks for no tokens. Start it with `make up AUTH_MODE=jwt`.")
    if "AUTH_SECRET" not in environment:
        raise click.ClickException(f"The stack's tokens come from {environment['AUTH_ISSUER']}; ask there.")
    return environment
