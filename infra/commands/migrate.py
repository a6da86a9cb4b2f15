"""`migrate`: brings a ledger's tables up to date; numbered files that were not applied yet, in order.

With --stage it is the stage's own function that does it, from inside its network; `deploy` does so by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

from infra.deploy.at_stage import account_at, at_stage_if_given, told
from infra.deploy.migrating import migrated
from infra.deploy.steps import TargetKind
from infra.local.layout import Layout


@click.command(help=__doc__)
@at_stage_if_given
@click.option("--dsn", envvar="DATABASE_URL", help="The ledger.  [default: the running stack's]")
def migrate(  # noqa: PLR0913, PLR0917 - an option each
    stage: str | None,
    target: TargetKind,
    region: str | None,
    profile: str | None,
    state_dir: str | None,
    dsn: str | None,
) -> None:
    """Exits with 1 and a sentence when the ledger does not answer."""
    if stage:
        with told(target):
            _report(migrated(account_at(target, stage, region, profile, state_dir), stage))
    else:
        _report(_local(dsn, state_dir))


def _report(applied: Iterable[str]) -> None:
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("up to date")


def _local(dsn: str | None, state_dir: str | None) -> list[str]:
    import psycopg

    from chalicelib.ledger import migrate as migrations

    layout = Layout.at(state_dir)
    state = layout.running_state()
    address = dsn or (state["postgres"]["dsn"] if state else None)
    if address is None:
        raise click.ClickException(
            "No ledger: give --dsn (or DATABASE_URL), or start a stack with `make up`."
        )
    try:
        return list(migrations.migrate(address))
    except psycopg.OperationalError as error:
        raise click.ClickException(f"The ledger does not answer: {str(error).strip()}") from error
    except migrations.ChangedMigration as error:
        raise click.ClickException(f"{error}; restore it and put the change into a new file.") from error
