"""`python -m tests.fuzz MINUTES`: generated requests for so long, shared among the roles."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from tests.fuzz.run import ROLES, Found, furnish, fuzz
from tests.support.stack import Stack


@click.command(help=__doc__)
@click.argument("minutes", default=20, type=click.IntRange(min=1))
def main(minutes: int) -> None:
    """Starts a stack of its own, which asks for tokens."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), {"AUTH_MODE": "jwt"}).background() as stack,
    ):
        furnish(stack)
        failed = [found for role in ROLES if not (found := _one(stack, role, minutes)).passed]
    sys.exit(1 if failed else 0)


def _one(stack: Stack, role: str, minutes: int) -> Found:
    click.echo(f"as {role} ... ", nl=False, err=True)
    found = fuzz(stack, role, minutes * 60 // len(ROLES))
    click.echo("nothing found" if found.passed else "FAILED", err=True)
    if not found.passed:
        click.echo(found.said)
    return found


if __name__ == "__main__":
    main()
