"""Whether ledger, gate and queues agree about every order and every ticket. Pure; it asks nobody."""

from __future__ import annotations

from collections import Counter

from infra.audit.evidence import Evidence
from infra.audit.ledger_checks import ledger_checks
from infra.rush.verdict import Audit, Check, verdict, without_exception

OVERDUE_MS = 90_000
"""A claim that has waited longer was put on the queue again: once a minute on AWS, those older than 60 s."""


def judge(evidence: Evidence) -> Audit:
    """Judges one event. What could not be looked at, or is no fault, is a note."""
    checks = [
        *ledger_checks(evidence.ledger),
        _claims_are_whole(evidence),
        _claims_are_undecided(evidence),
        *_stock(evidence),
        *_on_the_way(evidence),
    ]
    return verdict(checks, *_notes(evidence))


def _claims_are_whole(evidence: Evidence) -> Check:
    """Each can be read, is of this event, and waits for its answer; nothing waits that has no claim."""
    claims = evidence.gate.claims
    wrong = [
        claim.order_id
        for claim in claims
        if claim.items is None or claim.event_id != evidence.event_id or claim.queued_ms is None
    ]
    strays = sorted(evidence.gate.waiting - {claim.order_id for claim in claims})
    return without_exception("every claim in the gate is whole and waits for its answer", [*wrong, *strays])


def _claims_are_undecided(evidence: Evidence) -> Check:
    undecided = {claim.order_id for claim in evidence.undecided()}
    wrong = [claim.order_id for claim in evidence.gate.claims if claim.order_id not in undecided]
    return without_exception("no claim is kept for an order that has its answer", wrong)


def _stock(evidence: Evidence) -> list[Check]:
    """By type: what the gate can give is what the ledger has not sold, less what undecided claims hold."""
    stock = evidence.gate.stock
    if stock is None or not evidence.gate.steady:
        return []
    claimed: Counter[int] = Counter()
    for item in (item for claim in evidence.undecided() for item in claim.items or ()):
        claimed[item.ticket_type_id] += item.quantity
    unsold = {kind.id: kind.unsold for kind in evidence.ledger.types}
    wrong = [
        f"type {key}: {stock.get(key, 0)} available, {unsold.get(key, 0)} unsold - {claimed[key]} claimed"
        for key in sorted({*stock, *unsold})
        if stock.get(key, 0) != unsold.get(key, 0) - claimed[key]
    ]
    return [without_exception("capacity = sold + reserved + pending + available", wrong)]


def _on_the_way(evidence: Evidence) -> list[Check]:
    """Orders without an answer are on their way to it. Says nothing while the queues were not looked at."""
    orders, dead = evidence.orders, evidence.dead_letters
    if orders is None or dead is None:
        return []
    decided = {order.id for order in evidence.ledger.orders}
    buried = sorted({order_id for order_id in dead.order_ids if order_id not in decided})
    checks = [without_exception("no order without an answer lies among the dead letters", buried)]
    if orders.complete and not orders.in_flight:
        seen = {*orders.order_ids, *dead.order_ids}
        lost = [
            claim.order_id
            for claim in evidence.undecided()
            if claim.order_id not in seen
            and (claim.queued_ms is None or evidence.gate.now_ms - claim.queued_ms > OVERDUE_MS)
        ]
        checks.append(without_exception("no claim has lost its message", lost))
    return checks


def _notes(evidence: Evidence) -> list[str]:
    notes = []
    if evidence.gate.stock is None:
        notes.append("the gate has not loaded the event; it is filled by the next request")
    elif not evidence.gate.steady:
        notes.append("orders were decided too fast to compare gate and ledger at one moment")
    orders, dead = evidence.orders, evidence.dead_letters
    if orders is not None and orders.in_flight:
        notes.append(f"{orders.in_flight} messages of all events are with a worker and were not looked at")
    if orders is not None and not orders.complete:
        notes.append("the order queue was too long to be walked to its end")
    if dead is not None and dead.unreadable:
        notes.append(f"{dead.unreadable} dead letters are of no event: nobody can read them")
    return notes
