"""The answer as a reader at a terminal gets it: two tables and a few lines. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import HORIZONTALS
from rich.table import Table

from infra.cost.bill import ServiceLine
from infra.cost.onsale import Answer

WIDTH = 118


def bill_table(found: Answer) -> Table:
    """The positions with their services' sums."""
    sale = found.sale
    drawn = Table(box=HORIZONTALS, width=WIDTH, title_justify="left", title=_title(found))
    drawn.add_column("service, position", ratio=1)
    for name in ("quantity", "unit", "price, $", "cost, $"):
        drawn.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    for service, total in found.services.items():
        drawn.add_row(service, "", "", "", f"{total:,.2f}", style="bold")
        for each in found.bill.lines:
            if each.service == service:
                drawn.add_row(*_cells(each, found))
    drawn.add_section()
    drawn.add_row("in all", "", "", "", f"{found.bill.total:,.2f}", style="bold")
    drawn.add_row("a sold ticket", f"{sale.tickets:,}", "ticket", "", f"{found.a_ticket:.6f}")
    drawn.add_row("a million refusals", "1,000,000", "refusal", "", f"{found.a_million_refusals:,.2f}")
    return drawn


def saved_table(found: Answer) -> Table:
    """What each choice saved, the largest first."""
    drawn = Table(box=HORIZONTALS, width=WIDTH)
    drawn.add_column("choice")
    drawn.add_column("instead of")
    drawn.add_column("saved, $", justify="right", no_wrap=True)
    drawn.add_column("", ratio=1)
    for each in sorted(found.saved, key=lambda one: -one.saved):
        drawn.add_row(each.made, each.instead, f"{each.saved:,.3f}", each.note)
    return drawn


def remarks(found: Answer) -> Iterator[str]:
    """What was assumed, and what is not in it."""
    used, there, around = found.quantities, found.standing, found.around
    yield (
        f"A refusal takes {used.refusal_ms:.1f} ms of a function, an order {used.order_ms:.1f}, "
        f"a poll {used.poll_ms:.1f}, a batch of {found.assumed.batch} {used.batch_ms:.1f}; "
        f"{used.polls / used.orders:.1f} polls an order."
    )
    yield (
        f"Stores, endpoints and alarms for {there.hours:.2f} h: {around.prepare_minutes:g} minutes before, "
        f"and the sale. {there.environments:,} environments kept warm for "
        f"{there.warm_seconds / 60:.0f} minutes. {around.aurora_instances} instances of Aurora, "
        f"{there.acu:g} ACU together."
    )
    yield "Each choice is priced by itself, the others as they are."
    if found.unconfirmed:
        yield "* No text was found that states this price."
    yield f"Not in it: {'; '.join(found.left_out)}."
    yield "Sources, dates, every assumption: --json, infra/cost/prices.json and docs/cost.md."


def _title(found: Answer) -> str:
    sale = found.sale
    return (
        f"{sale.tickets:,} tickets, {sale.attempts:,} attempts, {sale.minutes:g} minutes; "
        f"list prices of {found.region}, {found.prices_as_of}"
    )


def _cells(each: ServiceLine, found: Answer) -> tuple[str, ...]:
    line = each.position
    mark = "*" if line.price in found.unconfirmed else ""
    return (
        f"  {line.what}",
        _amount(line.amount),
        line.unit,
        _price(each) + mark,
        f"{line.cost:,.4f}",
    )


def _price(each: ServiceLine) -> str:
    """As the list has it: `3.5 / 1,000,000`."""
    price = f"{each.price:.10f}".rstrip("0").rstrip(".")
    return price if each.per == 1 else f"{price} / {each.per:,}"


def _amount(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.4f}"
