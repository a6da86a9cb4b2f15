"""Whether what buyers heard was true: of their order, of the tickets left, and at the end. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from infra.history.lines import Answer, Request
from infra.history.story import Story
from infra.history.walk import Lived, Walk
from infra.rush.verdict import Check, without_exception

OUT_OF_STOCK = frozenset({"sold-out", "not-enough-tickets"})
GIVEN_BACK = frozenset({"rejected", "expired", "cancelled"})
"""Statuses whose tickets somebody else may have had for a while, and now are for sale again."""


def checks(story: Story, walk: Walk) -> list[Check]:
    """Every answer against the ledger."""
    return [
        _told_the_truth(story, walk),
        _nothing_taken_back(story),
        _nobody_forgotten(story),
        _sold_out_was_true(story, walk),
        _adds_up(story, walk),
    ]


def _about_an_order(story: Story) -> Iterator[tuple[Request, Answer]]:
    """Questions after an order, and its cancellation, with what was answered."""
    for number, answer in story.answers.items():
        request = story.requests[number]
        if request.order_id is not None:
            yield request, answer


def _told_the_truth(story: Story, walk: Walk) -> Check:
    """There is a moment between question and answer, give or take, at which the ledger had that status."""
    wrong, looked = [], 0
    for request, answer in _about_an_order(story):
        if answer.order_status is not None and request.order_id is not None:
            looked += 1
            lived = walk.orders.get(request.order_id)
            if not _was(story, lived, answer.order_status, request.at_ms, answer.at_ms):
                wrong.append(f"{request.order_id} {answer.order_status} in answer {answer.number}")
    return without_exception(f"what a buyer was told of an order was true ({looked} answers)", wrong)


def _was(story: Story, lived: Lived | None, status: str, asked_ms: float, answered_ms: float) -> bool:
    early, late = asked_ms - story.run.tolerance_ms, answered_ms + story.run.tolerance_ms
    known = [] if lived is None else lived.statuses
    if status == "pending":
        return not known or asked_ms <= known[0][0] + story.run.settle_ms
    after = [*known[1:], (float("inf"), "")]
    return any(
        was == status and began_ms <= late and end_ms >= early
        for (began_ms, was), (end_ms, _) in zip(known, after, strict=False)
    )


def _nothing_taken_back(story: Story) -> Check:
    """Once decided, an order never reads as pending to one who asks after that answer."""
    decided: dict[str, float] = {}
    for request, answer in _about_an_order(story):
        if answer.order_status not in {None, "pending"} and request.order_id is not None:
            heard_ms = decided.get(request.order_id, answer.at_ms)
            decided[request.order_id] = min(heard_ms, answer.at_ms)
    wrong = [
        f"{request.order_id} in answer {answer.number}"
        for request, answer in _about_an_order(story)
        if answer.order_status == "pending"
        and request.at_ms > decided.get(request.order_id or "", request.at_ms)
    ]
    return without_exception("no decided order reads as pending again", wrong)


def _nobody_forgotten(story: Story) -> Check:
    """Who asks after the 202 may be asked to come again, but never hears that there is no such order."""
    since = {order_id: answer.at_ms for _, answer, order_id in reversed(list(story.accepted()))}
    wrong = [
        f"{request.order_id} in answer {answer.number}"
        for request, answer in _about_an_order(story)
        if answer.code == "order-not-found"
        and request.at_ms > since.get(request.order_id or "", request.at_ms)
    ]
    return without_exception("nobody heard that an accepted order is not there", wrong)


def _sold_out_was_true(story: Story, walk: Walk) -> Check:
    """Whoever heard it could have had tickets that are left at the end, and that nobody held for a while."""
    hidden = sum(request.quantity for request in story.unheard())
    returned = {event_id: _Returned(story, walk, event_id) for event_id in story.events}
    refused = [
        (answer.number, request)
        for answer in story.answers.values()
        if answer.code in OUT_OF_STOCK and (request := story.requests[answer.number]).event_id in returned
    ]
    wrong = []
    for number, request in refused:
        spare = min((left - wanted for left, wanted in _asked(story, walk, request)), default=-1) - hidden
        if spare >= 0 and spare >= returned[request.event_id or 0].since(request.at_ms):
            wrong.append(f"answer {number}")
    return without_exception(f"nobody heard sold out while tickets were left ({len(refused)} did)", wrong)


def _asked(story: Story, walk: Walk, request: Request) -> Iterator[tuple[int, int]]:
    """For each line of the request: what is left of its type at the end, and what it asked for."""
    event = story.events.get(request.event_id or 0)
    only = event.ticket_types[0].id if event and len(event.ticket_types) == 1 else 0
    for item in request.items:
        yield walk.left(item.ticket_type_id or only), item.quantity


class _Returned:
    """Tickets of an event that somebody held for a while and did not get, by the moment they were free."""

    def __init__(self, story: Story, walk: Walk, event_id: int) -> None:
        moments = sorted(
            (lived.statuses[-1][0] + story.run.settle_ms, lived.row.quantity)
            for lived in walk.orders.values()
            if lived.row.event_id == event_id and lived.row.status in GIVEN_BACK
        )
        self._moments_ms = [at_ms for at_ms, _ in moments]
        self._from = [*accumulate((quantity for _, quantity in reversed(moments)), initial=0)][::-1]

    def since(self, at_ms: float) -> int:
        """Tickets that were not yet free at that moment, or so shortly that the gate may not have known."""
        return self._from[bisect_left(self._moments_ms, at_ms)]


def _adds_up(story: Story, walk: Walk) -> Check:
    promise = "at the end available + sold + reserved = capacity"
    if story.end is None or story.end.left is None:
        return Check(promise, passed=True, detail="the service was not asked")
    wrong = [
        f"type {stock.ticket_type_id}: {stock.available} available, {left} neither sold nor reserved"
        for stock in story.end.left
        if stock.available != (left := walk.left(stock.ticket_type_id))
    ]
    return without_exception(promise, wrong)
