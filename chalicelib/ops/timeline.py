"""Tells what happened to an order from what the stores still know of it, as it came. Pure.

Some times nobody keeps: those of the gate are gone with the order's claim. What happened at such a time is
told without one, after whatever must have come before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from chalicelib.model import Order, OrderPlaced, OrderStatus, Payment, PaymentState
from chalicelib.traces import Entry, Letter, Place, Trace, What

_BEFORE: dict[What, tuple[frozenset[What], ...]] = {
    What.ACCEPTED: (),
    What.QUEUED: (frozenset({What.ACCEPTED}),),
    What.SETTLED: (frozenset({What.DECIDED}), frozenset({What.CANCELLED})),
    What.EXPIRED: (frozenset(What) - {What.REFUND_DUE},),
    What.CANCELLED: (frozenset(What) - {What.REFUND_DUE},),
    What.REFUND_DUE: (frozenset(What),),
}
"""Of what may have no time: what came before it. The first set counts of which something has happened."""
_PLACE = {what: place for place, what in enumerate(What)}

_MONEY = {
    PaymentState.APPLIED: (What.PAID, ""),
    PaymentState.REFUSED: (What.PAYMENT_REFUSED, "it is not the order's whole price"),
    PaymentState.FAILED: (What.PAYMENT_REFUSED, "it failed at the provider"),
    PaymentState.PARKED: (What.REFUND_DUE, "it came late and waits for somebody to decide"),
    PaymentState.REFUND_DUE: (What.REFUND_DUE, "the order had no use for it"),
    PaymentState.UNMATCHED: (What.PAYMENT_REFUSED, "the order was not known when it came"),
}


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says of an order."""

    answers: bool = True
    claim: OrderPlaced | None = None
    queued_at: datetime | None = None
    """When its message was last put on the queue; kept for as long as the claim."""


def entries_of(trace: Trace, gate: Claimed) -> tuple[Entry, ...]:
    """Lists what happened, oldest first. At one moment, what usually comes first comes first."""
    told = [*_beginning(trace, gate), *_failures(trace), *_letters_fate(trace.letters)]
    if trace.order is not None:
        told += [*_decision(trace.order, trace), *_settlement(gate), *_end(trace.order, trace.ended_at)]
    told += _money(trace)
    return tuple(_in_order(told))


def _beginning(trace: Trace, gate: Claimed) -> Iterator[Entry]:
    accepted_at, source, detail = None, Place.DEAD_LETTERS, "only a message that failed tells of it"
    if trace.order is not None:
        accepted_at, source, detail = trace.order.accepted_at, Place.LEDGER, "let in by the gate"
    elif gate.claim is not None:
        accepted_at = datetime.fromtimestamp(gate.claim.accepted_at_ms / 1_000, UTC)
        source, detail = Place.GATE, "let in by the gate"
    yield _entry(accepted_at, What.ACCEPTED, detail, source)
    queued = "put on the queue" if gate.queued_at is None else "last put on the queue"
    if gate.queued_at is None:
        queued += (
            "; when is kept only while the order waits" if gate.answers else "; the gate does not answer"
        )
    yield _entry(gate.queued_at, What.QUEUED, queued, Place.GATE)


def _failures(trace: Trace) -> Iterator[Entry]:
    """Every failure; of a letter from before they were kept one by one, the last one."""
    for each in trace.attempts:
        told = f"{each.reason} (delivery {each.receive_count})"
        yield _entry(each.failed_at, What.ATTEMPT_FAILED, told, Place.DEAD_LETTERS)
    kept = {attempt.failed_at for attempt in trace.attempts}
    for letter in trace.letters:
        if letter.recorded_at not in kept:
            told = f"{letter.reason} (failure {letter.failures})"
            yield _entry(letter.recorded_at, What.ATTEMPT_FAILED, told, Place.DEAD_LETTERS)


def _letters_fate(letters: Iterable[Letter]) -> Iterator[Entry]:
    for letter in letters:
        for what, at, detail in (
            (What.DEAD_LETTERED, letter.moved_at, "moved to the dead letters"),
            (What.REDRIVEN, letter.redriven_at, "put on the queue again"),
            (What.DELETED, letter.deleted_at, "deleted from the dead letters"),
        ):
            if at is not None:
                yield _entry(at, what, f"message {letter.message_id} {detail}", Place.DEAD_LETTERS)


def _decision(order: Order, trace: Trace) -> Iterator[Entry]:
    """The first answer, which the order's status has gone on from; none for one cancelled before it."""
    if order.status is OrderStatus.CANCELLED and trace.ended_at == order.decided_at:
        return
    answer = (OrderStatus.RESERVED if trace.hold_seconds else OrderStatus.CONFIRMED).value
    if order.status is OrderStatus.REJECTED:
        answer = f"rejected: {order.reason}"
    yield _entry(order.decided_at, What.DECIDED, answer)


def _settlement(gate: Claimed) -> Iterator[Entry]:
    if gate.answers and gate.claim is None:
        detail = "the gate holds no claim of it any more; when it let go is not kept"
        yield _entry(None, What.SETTLED, detail, Place.GATE)


def _end(order: Order, ended_at: datetime | None) -> Iterator[Entry]:
    ends = {
        OrderStatus.EXPIRED: (What.EXPIRED, "it was not paid in time"),
        OrderStatus.CANCELLED: (What.CANCELLED, "its tickets are on sale again"),
    }
    if order.status not in ends:
        return
    what, detail = ends[order.status]
    if what is What.CANCELLED and ended_at == order.decided_at:
        detail = "before it was decided"
    yield _entry(ended_at, what, detail)


def _money(trace: Trace) -> Iterator[Entry]:
    taken = _given_back(trace)
    for payment in trace.payments:
        named = f"{payment.reference}, {payment.amount} minor units of {payment.currency}"
        if payment is taken:
            yield _entry(payment.received_at, What.PAID, named)
            yield _entry(trace.ended_at, What.REFUND_DUE, f"{named}: the order that it paid was cancelled")
        else:
            what, why = _MONEY[payment.state]
            yield _entry(payment.received_at, what, f"{named}: {why}" if why else named)


def _given_back(trace: Trace) -> Payment | None:
    """The payment that had paid an order which was cancelled later: the first of those that are due back.

    Its state says only that it is due back. One that came after the end paid nothing.
    """
    order, ended_at = trace.order, trace.ended_at
    if order is None or order.status is not OrderStatus.CANCELLED:
        return None
    due = [payment for payment in trace.payments if payment.state is PaymentState.REFUND_DUE]
    first = min(due, key=lambda payment: payment.received_at, default=None)
    return first if first is not None and (ended_at is None or first.received_at <= ended_at) else None


def _entry(at: datetime | None, what: What, detail: str, source: Place = Place.LEDGER) -> Entry:
    return Entry(at=at, what=what, detail=detail, source=source)


def _in_order(told: Iterable[Entry]) -> list[Entry]:
    """By time, but acceptance first: the gate's clock and a worker's may differ by some ms."""
    listed = sorted(told, key=lambda entry: _PLACE[entry.what])
    timed = [(entry.what is not What.ACCEPTED, entry.at, entry) for entry in listed if entry.at is not None]
    found = [entry for *_, entry in sorted(timed, key=lambda placed: placed[:2])]
    for entry in (entry for entry in listed if entry.at is None):
        found.insert(_after(_BEFORE[entry.what], found), entry)
    return found


def _after(before: tuple[frozenset[What], ...], found: list[Entry]) -> int:
    """The first place that is behind all of these."""
    for kinds in before:
        if places := [place for place, entry in enumerate(found, start=1) if entry.what in kinds]:
            return places[-1]
    return 0
