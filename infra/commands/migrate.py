"""`migrate`: brings a ledger's tables up to date; numbered files that were not applied yet, in order."""

from __future__ import annotations

import click

from infra.local.layout import Layout


@click.command(help=__doc__)
@click.option("--dsn", envvar="DATABASE_URL", help="The ledger.  [default: the running stack's]")
@click.option("--state-dir", envvar="STATE_DIR", help="The state directory that `up` was given.")
def migrate(dsn: str | None, state_dir: str | None) -> None:
    """Exits with 1 and a sentence when the ledger does not answer."""
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
        applied = migrations.migrate(address)
    except psycopg.OperationalError as error:
        raise click.ClickException(f"The ledger does not answer: {str(error).strip()}") from error
    except migrations.ChangedMigration as error:
        raise click.ClickException(f"{error}; restore it and put the change into a new file.") from error
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("up to date")
