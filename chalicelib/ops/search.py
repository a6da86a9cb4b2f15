"""Finds orders by anything they are known by, wherever they are on their way, and tells what happened to one.

A text may be an order id, the id of a message that failed, a buyer or an idempotency key: it is looked up as
all of them, word for word. First the stores name candidates, then each is asked what it has of these; the
gate before the ledger, so that an order that is settled meanwhile is not missed. Every step is bounded. This
module knows no HTTP and no SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from chalicelib.errors import Rejected, Unavailable, Undecided
from chalicelib.filling import filled
from chalicelib.model import LookedUp, OrderPlaced, OrderStatus
from chalicelib.ops.matching import match, merged
from chalicelib.ops.timeline import Claimed, entries_of
from chalicelib.order_ids import event_of, is_uuid
from chalicelib.services import Services
from chalicelib.traces import Candidate, Found, Match, Matched, Timeline, Trace
from chalicelib.whereabouts import look_up, missing


class Bounds(msgspec.Struct, frozen=True):
    """How far a search goes, at most. With these it takes some tens of ms on full tables and a full gate."""

    found: int = 50
    rows: int = 1_000
    """Of a buyer's orders, of its failed messages, and of a key's orders."""
    claims: int = 2_000
    """The newest ones, altogether: the gate knows claims by their orders alone."""
    events: int = 200
    """The newest that the gate has: each costs a round trip."""


USUAL = Bounds()


class _Claims(msgspec.Struct, frozen=True):
    """Claims of a buyer or a key, and whether all of the gate was looked at."""

    found: list[Candidate]
    complete: bool


def find(services: Services, text: str, event_id: int | None = None, within: Bounds = USUAL) -> Found:
    """Finds the orders that a text means, of one event or of all, newest first.

    `text` has neither NUL nor lone surrogates; upper case counts, but not in a UUID. A gate that is down
    leaves out what it alone has: then the answer is truncated. Raises Unavailable when the ledger is down,
    or the gate is and the ledger has nothing; Undecided when the text is the id of an order that may be on
    its way where nobody sees it.
    """
    try:
        claims, failure = _claims_like(services, text, event_id, within), None
    except Unavailable as error:
        claims, failure = _Claims([], complete=False), error
    name = _as_id(text) or text
    listed = [each for one in {text, name} for each in services.ledger.candidates(one, within.rows)]
    candidates = merged([*_by_id(text), *claims.found, *listed], event_id)
    chosen = sorted(candidates, key=lambda each: each.order_id or "", reverse=True)[: within.found]
    items = _matches(services, chosen, name, gate_answers=failure is None)
    if not items:
        _raise_unless_sure(services, merged(_by_id(text), event_id), failure)
    more = len(candidates) > within.found or len(listed) >= within.rows or not claims.complete
    return Found(tuple(items), truncated=more)


def timeline(services: Services, order_id: str) -> Timeline:
    """Tells all that happened to an order, as far as anybody still knows.

    Raises ValueError for a malformed id, Rejected("order-not-found"), or Unavailable as `whereabouts.find`.
    """
    known, failure = look_up(services, order_id)
    trace: Trace = services.ledger.trace(order_id)
    of = trace.order or known.claim or next(iter(trace.letters), None)
    if of is None:
        raise failure or missing(services, order_id, known)
    return Timeline(
        order_id=order_id,
        event_id=event_of(order_id),
        user_id=of.user_id,
        status=OrderStatus.PENDING if trace.order is None else trace.order.status,
        entries=entries_of(trace, _claimed(services, order_id, known, answers=failure is None)),
    )


def _claimed(services: Services, order_id: str, known: LookedUp, *, answers: bool) -> Claimed:
    """What the gate has of an order; it may settle the claim between two questions."""
    if known.claim is None:
        return Claimed(answers=answers)
    try:
        queued_ms = services.gate.queued_ms(order_id)
    except Unavailable:
        return Claimed(answers=False, claim=known.claim)
    at = None if queued_ms is None else datetime.fromtimestamp(queued_ms / 1_000, UTC)
    return Claimed(claim=known.claim, queued_at=at)


def _as_id(text: str) -> str | None:
    """The text as a UUID is written here; None when it is none."""
    return text.lower() if is_uuid(text.lower()) else None


def _by_id(text: str) -> Iterator[Candidate]:
    order_id = _as_id(text)
    if order_id is not None:
        try:
            yield Candidate(order_id, event_of(order_id), Matched.ORDER_ID)
        except ValueError:  # a UUID, but of no order
            return


def _claims_like(services: Services, text: str, event_id: int | None, within: Bounds) -> _Claims:
    """Looks through the newest claims of one event, or of the newest events."""
    events = services.gate.loaded_events()[::-1] if event_id is None else [event_id]
    found: list[Candidate] = []
    left = within.claims
    for each in events[: within.events]:
        claims = _newest(services, each, left + 1)
        found += _like(claims[:left], text)
        left -= len(claims)
        if left < 0:
            break
    return _Claims(found, complete=left >= 0 and len(events) <= within.events)


def _newest(services: Services, event_id: int, limit: int) -> list[OrderPlaced]:
    try:
        return filled(services, event_id, lambda: services.gate.pending(event_id, None, limit))
    except Rejected:  # nobody's event: its claims cannot be vouched for
        return []


def _like(claims: Iterable[OrderPlaced], text: str) -> Iterator[Candidate]:
    for claim in claims:
        if claim.user_id == text:
            yield Candidate(claim.order_id, claim.event_id, Matched.BUYER)
        elif claim.idempotency_key == text:
            yield Candidate(claim.order_id, claim.event_id, Matched.IDEMPOTENCY_KEY)


def _matches(
    services: Services, candidates: list[Candidate], message_id: str, *, gate_answers: bool
) -> list[Match]:
    """Asks every store what it has of the candidates; who is in none of them is no match."""
    ids = [each.order_id for each in candidates if each.order_id is not None]
    claims = (
        _held(services, candidates) if gate_answers else {}
    )  # first: what leaves the gate is in the ledger
    orders = {order.id: order for order in services.ledger.orders_by_id(ids)}
    letters = services.ledger.letters(ids, message_id, USUAL.rows)
    newest = {letter.order_id: letter for letter in reversed(letters)}
    found = (
        match(each, claims.get(each.order_id), orders.get(each.order_id or ""), newest.get(each.order_id))
        for each in candidates
    )
    return [each for each in found if each.places]


def _held(services: Services, candidates: Iterable[Candidate]) -> Mapping[str | None, OrderPlaced]:
    by_event: dict[int, list[str]] = {}
    for each in candidates:
        if each.order_id is not None and each.event_id is not None:
            by_event.setdefault(each.event_id, []).append(each.order_id)
    return {
        claim.order_id: claim
        for event_id, order_ids in by_event.items()
        for claim in services.gate.held_of(event_id, order_ids)
    }


def _raise_unless_sure(services: Services, by_id: Iterable[Candidate], failure: Unavailable | None) -> None:
    """Nothing was found: raises when that does not mean that there is nothing."""
    if failure is not None:
        raise failure
    for order_id in (each.order_id for each in by_id if each.order_id is not None):
        known, _ = look_up(services, order_id)
        if isinstance(error := missing(services, order_id, known), Undecided):
            raise error
