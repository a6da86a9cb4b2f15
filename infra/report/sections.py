"""The page's sections of words and tables: the figures at a glance, the certificate, the bill. Pure."""

from __future__ import annotations

from infra.cost.cost import Bill
from infra.report import pictures
from infra.report.figures import Asked, Certificate, Costs, Facts
from infra.report.markup import Markup, element, together
from infra.report.table import Row, table
from infra.report.words import (
    UNKNOWN,
    cents,
    clock,
    code_in_words,
    day,
    duration,
    milliseconds,
    money,
    number,
    units,
)

PLACES = ("sold", "reserved", "pending", "available")
STANDING = (
    "Aurora, ElastiCache, RDS Proxy and NAT are paid by the hour and are not in it. Free tiers are left out."
)


def at_a_glance(facts: Facts) -> Markup:
    """Five figures that a reader sees first."""
    items = [
        element(
            "div", element("dt", name), element("dd", value, class_="value"), element("dd", note, class_="of")
        )
        for name, value, note in (*_of_tickets(facts), *_of_buyers(facts))
    ]
    return element("dl", items, class_="figures")


Glance = tuple[str, str, str]
"""What it is, the figure, and what it is of."""


def _of_tickets(facts: Facts) -> list[Glance]:
    of = f"of {number(facts.capacity)} tickets"
    found = facts.sold
    if found is None:
        return [("Sold", UNKNOWN, of), ("Sold out in", UNKNOWN, "")]
    held = f", {number(found.reserved)} more held" if found.reserved else ""
    sold = ("Sold", number(found.sold), of + held)
    if found.sold_out_at is None:
        return [sold, ("Sold out in", "not yet", "")]
    return [sold, ("Sold out in", duration(found.seconds_to_sell_out), f"at {clock(found.sold_out_at)} UTC")]


def _of_buyers(facts: Facts) -> list[Glance]:
    found = facts.asked
    busiest = found.peak if found else None
    rate = f"{number(busiest.per_second)}/s" if busiest else UNKNOWN
    when = f"asked at {clock(busiest.at)}, counted over {duration(busiest.seconds)}" if busiest else ""
    everybody = f"of {number(found.accepted + found.refused)} who asked" if found else ""
    let_in = next((wait for wait in facts.waits if wait.what.endswith("202")), None)
    return [
        ("At the peak", rate, when),
        ("Refused", number(found.refused if found else None), everybody),
        ("Let in within", milliseconds(let_in.p99) if let_in else UNKNOWN, "99 % of them"),
    ]


def certificate(found: Certificate) -> Markup:
    """A plain sentence whether every ticket is accounted for, and the sum with its sources."""
    mark = element("span", "✓" if found.holds else "✗", aria_hidden="true")
    parts = " + ".join(f"{number(getattr(found, place))} {place}" for place in PLACES)
    gap = f" + {found.gap:,} in no place" if found.gap else ""
    rows = [
        (place, number(getattr(found, place)), found.sources.get(place, ""))
        for place in ("capacity", *PLACES, "gap")
    ]
    return together(
        element("p", mark, " ", found.sentence, class_="verdict"),
        element("p", f"{number(found.capacity)} capacity = {parts}{gap}", class_="sum"),
        _split(found),
        table("Where every ticket is", ("place", "tickets", "who says so"), rows, numbers_from=9),
        element("p", f"As of {day(found.as_of)}, {clock(found.as_of)} UTC.", class_="note"),
    )


def _split(found: Certificate) -> Markup:
    """One bar, divided among the places; the sum beside it says the same in words."""
    left, drawn = 0.0, []
    for place in PLACES:
        width = 720 * max(getattr(found, place), 0) / max(found.capacity, 1)
        drawn.append(element("rect", class_=place, x=round(left, 1), y=0, width=round(width, 1), height=14))
        left += width
    return element(
        "svg", drawn, viewBox="0 0 720 14", preserveAspectRatio="none", class_="split", aria_hidden="true"
    )


def asked(facts: Facts) -> Markup | None:
    """Everybody who asked: the picture, what they were told at the door, what the ledger rejected later."""
    picture = pictures.attempts(facts)
    told = _told(facts.asked) if facts.asked and picture else None
    later = [
        (code_in_words(one.code), number(one.count)) for one in (facts.sold.rejected if facts.sold else ())
    ]
    rejected = table("Let in, and rejected by the ledger after all", ("reason", "orders"), later)
    return together(picture, told, rejected if later else None) or None


def _told(found: Asked) -> Markup:
    counts = [("let in", found.accepted)]
    counts += [(code_in_words(one.code), one.count) for one in found.by_code]
    everybody = max(sum(count for _, count in counts), 1)
    rows = [(answer, number(count), f"{count / everybody:.1%}") for answer, count in counts]
    return table("What they were told at the door", ("answer", "orders", "share"), rows)


def waited(facts: Facts) -> Markup | None:
    """How long buyers waited, over time and over all; None when nothing was measured."""
    rows: list[Row] = [
        (wait.what, milliseconds(wait.p50), milliseconds(wait.p95), milliseconds(wait.p99), wait.of)
        for wait in facts.waits
    ]
    head = ("wait", "half within", "95 % within", "99 % within", "measured of")
    listed = table("Over the whole sale, as the service measured it", head, rows) if rows else None
    return together(pictures.waits(facts), listed) or None


def cost(facts: Facts) -> Markup | None:
    """What orders and refusals cost, position by position; None when it is not known."""
    found = facts.costs
    if found is None:
        return None
    each = money(found.orders.total / found.orders.count, found.orders.currency)
    bills = [element("div", element("h3", f"One order: {each}"), _bill(found.orders, "orders"))]
    if found.refusals:
        total = money(found.refusals.total, found.refusals.currency)
        heading = element("h3", f"A million refusals: {total}")
        bills.append(element("div", heading, _bill(found.refusals, "refusals")))
    return together(
        element("div", bills, class_="beside"), element("p", _cost_note(facts, found), class_="note")
    )


def _bill(bill: Bill, of: str) -> Markup:
    rows: list[Row] = [
        (line.what, units(line.amount, line.unit), cents(line.cost, bill.currency)) for line in bill.lines
    ]
    total: Row = ("together", "", money(bill.total, bill.currency))
    return table(f"Of a million {of}", ("for", "amount", "cost"), [*rows, total])


def _cost_note(facts: Facts, found: Costs) -> str:
    refusal = found.refusal_handled
    refused = f", {milliseconds(refusal.door_ms)} for a refusal" if refusal else ""
    local = (
        " They were measured on the local stack; on Lambda they will differ."
        if facts.stage == "local"
        else ""
    )
    return (
        f"Worked out from this sale's times: {milliseconds(found.order_handled.door_ms)} in the door's "
        f"function for an order{refused}, {milliseconds(found.order_handled.worker_ms)} of the fulfilment "
        f"function for an order, {number(found.order_handled.memory_mb)} MB each.{local} AWS list prices of "
        f"{found.region}, {found.prices_as_of}. "
        f"Looks at orders come on top: all requests of that time, {number(found.edge_requests)}, cost "
        f"{money(found.edge_cost, found.orders.currency)} at the edge. {STANDING}"
    )
