"""`report`: writes one page about a sale, after it: self-contained HTML that may be mailed and printed.

How fast it sold out, who was refused and why, how long buyers waited, what went wrong, whether every ticket
is accounted for, and what an order cost. Everything comes from the service over HTTP; what could not be had
is named on the page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from infra.cost.prices import list_prices
from infra.operator import at_service, operator_of
from infra.report.facts import conclude
from infra.report.figures import Facts
from infra.report.gather import gather
from infra.report.page import page
from infra.report.window import DAY


class Moment(click.ParamType[datetime]):
    """A moment as RFC 3339 has it; without a zone it is in UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Fails with an example when it is no moment."""
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-22T20:00:00Z", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.command(help=__doc__)
@click.argument("event", type=click.IntRange(min=1))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the page goes.  [default: report-EVENT.html]",
)
@click.option("--from", "starts_at", type=Moment(), help="Begin here.  [default: when people began to ask]")
@click.option(
    "--to", "ends_at", type=Moment(), help="End here, a day later at most.  [default: with the rush]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object; write no page.")
@at_service
def report(  # noqa: PLR0913, PLR0917 - one for each option
    event: int,
    out: Path | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    url: str | None,
    token: str | None,
    state_dir: str | None,
    *,
    as_json: bool,
) -> None:
    """Exits with 0 when it was written, whatever it says; with 1 and a sentence when it could not be."""
    now = datetime.now(UTC)
    _check(starts_at, ends_at, now)
    service = operator_of(url, token, state_dir)
    gathered = gather(service, event, now, (starts_at, ends_at), _progress)
    facts = conclude(gathered, list_prices())
    if as_json:
        click.echo(msgspec.json.encode(facts))
        return
    file = out or Path(f"report-{event}.html")
    try:
        file.write_text(page(facts), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    click.echo("\n".join(_lines(facts, file)))


def _check(starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> None:
    ends = ends_at or now
    if starts_at and not starts_at < ends:
        raise click.BadParameter("is not before --to" if ends_at else "is still to come", param_hint="--from")
    if starts_at and ends_at and ends_at - starts_at > DAY:
        raise click.BadParameter("is more than a day after --from", param_hint="--to")


def _progress(what: str) -> None:
    click.echo(f"reading {what}", err=True)


def _lines(facts: Facts, file: Path) -> list[str]:
    unknown = [f"not known: {one.source}. {one.why}" for one in facts.missing]
    verdict = [facts.certificate.sentence] if facts.certificate else []
    return [*verdict, *unknown, f"written to {file}"]
