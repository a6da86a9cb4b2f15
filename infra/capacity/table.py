"""A plan as a reader at a terminal gets it: one table, tightest limit first. It computes nothing."""

from __future__ import annotations

from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from infra.capacity.plan import Plan, Row, Verdict

WIDTH = 132
_STYLES = {Verdict.FITS: "green", Verdict.SET: "yellow", Verdict.RAISE: "yellow", Verdict.BINDS: "red"}


def table(made: Plan, *, whole: bool = False) -> Table:
    """The limits with what is needed, and what to do about those that do not fit.

    Those that fit twice over are only counted below it, unless the `whole` table is asked for.
    """
    need, sale = made.demand, made.sale
    drawn = Table(box=HORIZONTALS, width=WIDTH, caption=_caption(made), caption_justify="left")
    drawn.title = (
        f"{sale.attempts_per_second:,.0f} attempts/s for {sale.minutes:g} minutes, {sale.tickets:,} tickets: "
        f"sold in {need.seconds_to_sell:,.1f} s at the earliest"
    )
    drawn.add_column("limit", ratio=6)
    for name in ("needed", "allowed"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("of it", justify="right", no_wrap=True)
    drawn.add_column("verdict", no_wrap=True)
    drawn.add_column("what to do", ratio=5)
    for row in made.rows:
        if whole or not _roomy(row):
            drawn.add_row(*_cells(row))
    return drawn


def _roomy(row: Row) -> bool:
    return row.ratio is None or row.ratio <= 0.5


def _cells(row: Row) -> tuple[str | Text, ...]:
    limit = row.limit
    allowed = "no limit" if limit.value is None else f"{limit.value:,.0f}"
    ratio = "" if row.ratio is None else _share(row.ratio)
    word = Text(row.verdict.value.partition(":")[0], style=_STYLES[row.verdict])
    name = f"{limit.service}: {limit.name} ({limit.unit})"
    needed = (
        f"{row.needed:,.0f}" if row.needed >= 10 or row.needed == int(row.needed) else f"{row.needed:.1f}"
    )
    return name, needed, allowed, ratio, word, row.advice


def _share(ratio: float) -> str:
    return f"{ratio:,.1f} x" if ratio >= 10 else f"{ratio:.0%}"


def _caption(made: Plan) -> str:
    need = made.demand
    roomy = sum(_roomy(row) for row in made.rows)
    return (
        f"{roomy} of {len(made.rows)} limits are needed by half at most; --all shows them, too.\n"
        f"A refusal takes {need.refusal_ms:.1f} ms of a function, an accept {need.accept_ms:.1f} ms; "
        f"{need.concurrency:,.0f} requests at a time. {need.attempt_ecpu:.1f} ECPU a refusal, "
        f"{need.gate_ecpu:,.0f} ECPU/s in all: {made.shards} shard{'s' if made.shards > 1 else ''}.\n"
        f"{need.messages:,.0f} messages/s; {need.orders:,.0f} orders/s = {need.batches:,.1f} batches/s "
        f"= {need.workers:,.2f} workers; {need.pending:,.0f} buyers poll at the peak.\n"
        f"In all {need.all_attempts:,.0f} attempts and {need.log_gigabytes:,.0f} GB of log. "
        "Sources, dates and assumptions: --json and docs/capacity.md."
    )
