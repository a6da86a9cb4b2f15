"""The audit: whether a rush that is over kept the promises. Pure: facts in, a verdict out.

It must not ask anybody anything, and it must not use the service's own rules: it counts again.
"""

from __future__ import annotations

from collections.abc import Iterable

from infra.rush import order_checks
from infra.rush.facts import Facts, LedgerSeen, OrderSeen
from infra.rush.verdict import Audit, Check, verdict

OUT_OF_STOCK = frozenset({"sold-out", "not-enough-tickets"})
TURNED_AWAY = frozenset({"rate-limited"})
"""Refusals that say nothing about tickets: whoever hears one did not get to ask."""
BUGS = frozenset({"internal-error", "http-500"})


def audit(facts: Facts) -> Audit:
    """Judges a rush. Without the ledger, only what the service says is judged, and a note says so."""
    checks = [
        _every_buyer_counted(facts),
        _somebody_bought(facts),
        _no_bug(facts),
        _sold_what_was_demanded(facts),
        _sold_out_was_true(facts),
        order_checks.no_id_given_twice(facts),
        order_checks.one_final_answer_each("at the service", facts, facts.listed),
        order_checks.nothing_unasked("at the service", facts, facts.listed),
        order_checks.no_answer_changed(facts),
        _gate_agrees(facts),
        _event_agrees(facts),
    ]
    if facts.ledger is None:
        return verdict(checks, "the ledger was not asked: no address of it is known for this URL")
    return verdict([*checks, *_ledger_checks(facts, facts.ledger)])


def _ledger_checks(facts: Facts, ledger: LedgerSeen) -> list[Check]:
    return [
        order_checks.one_final_answer_each("in the ledger", facts, ledger.orders),
        order_checks.nothing_unasked("in the ledger", facts, ledger.orders),
        order_checks.never_oversold(facts, ledger),
        order_checks.no_ticket_twice(ledger),
        order_checks.service_says_what_the_ledger_has(facts, ledger),
    ]


def sold(facts: Facts) -> int:
    """Tickets sold: by the ledger's counters where they are known, else by the confirmed orders."""
    if facts.ledger is None:
        return _tickets(facts.listed)
    return sum(ticket_type.sold for ticket_type in facts.ledger.ticket_types)


def _every_buyer_counted(facts: Facts) -> Check:
    accepted, refused = len(facts.accepted), sum(facts.refused.values())
    detail = f"{accepted} accepted + {refused} refused + {facts.unknown} unknown of {facts.buyers}"
    counted = accepted + refused + facts.unknown == facts.buyers
    return Check("every buyer counted", counted, detail)


def _somebody_bought(facts: Facts) -> Check:
    return Check("the sale took place", bool(facts.accepted), f"{len(facts.accepted)} orders accepted")


def _no_bug(facts: Facts) -> Check:
    """Not now (503) is an answer; an internal error is none."""
    count = sum(facts.refused.get(code, 0) for code in BUGS)
    return Check("nobody met an internal error", not count, f"{count} did")


def _sold_what_was_demanded(facts: Facts) -> Check:
    """Exact when every buyer was heard; each who was not may or may not have a ticket."""
    least, most = _expected_sold(facts)
    confirmed, counted = _tickets(facts.listed), sold(facts)
    expected = f"{most}" if least == most else f"{least} to {most}"
    return Check(
        "sold = confirmed = the smaller of capacity and demand",
        least <= counted <= most and confirmed == counted,
        f"{counted} sold, {confirmed} confirmed, {expected} expected",
    )


def _expected_sold(facts: Facts) -> tuple[int, int]:
    demanded = facts.buyers * facts.quantity
    sellable = facts.capacity - facts.capacity % facts.quantity
    turned_away = sum(facts.refused[code] for code in TURNED_AWAY & facts.refused.keys())
    hidden = (facts.unknown + facts.uncertain) * facts.quantity
    least = min(sellable, demanded - turned_away * facts.quantity - hidden)
    if _refused_for_stock(facts):
        least = min(least, sellable - hidden)
    return max(least, 0), min(sellable, demanded)


def _sold_out_was_true(facts: Facts) -> Check:
    """A ticket that an unheard order held for a while was not there for the others: it excuses a refusal."""
    refused, left = _refused_for_stock(facts), facts.capacity - sold(facts)
    hidden = (facts.unknown + facts.uncertain) * facts.quantity
    return Check(
        "nobody heard sold out while tickets were left",
        not refused or left < facts.quantity or left <= hidden,
        f"{refused} heard it, {max(left, 0)} left at the end",
    )


def _gate_agrees(facts: Facts) -> Check:
    left = facts.capacity - sold(facts)
    available = sum(stock.available for stock in facts.availability.ticket_types)
    return Check(
        "the gate has what is unsold and says sold out when that is none",
        available == left and facts.availability.sold_out == (left == 0),
        f"{available} available, {left} unsold, soldOut {str(facts.availability.sold_out).lower()}",
    )


def _event_agrees(facts: Facts) -> Check:
    total, available = facts.event.total_tickets, facts.event.available_tickets
    return Check(
        "the event shows the tickets that are left",
        total == facts.capacity and available == facts.capacity - sold(facts),
        f"{available} of {total} available",
    )


def _tickets(orders: Iterable[OrderSeen]) -> int:
    return sum(order.quantity for order in orders if order.sold)


def _refused_for_stock(facts: Facts) -> int:
    return sum(count for code, count in facts.refused.items() if code in OUT_OF_STOCK)
