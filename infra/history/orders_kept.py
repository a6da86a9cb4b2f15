"""Whether the ledger has each order that a buyer was promised, as it was asked for, and no other. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from infra.history.lines import Request
from infra.history.story import Story
from infra.history.walk import Lived, Walk
from infra.rush.verdict import Check, without_exception

KEY_REUSED = "idempotency-key-reused"
"""Why the ledger rejects a second order of one key: the gate had forgotten the first."""


def among_buyers(story: Story) -> list[Check]:
    """What the answers show by themselves."""
    first: dict[str, Request] = {}
    wrong = []
    for request, _, order_id in story.accepted():
        before = first.setdefault(order_id, request)
        if before is not request and not _same(before, request):
            wrong.append(f"{order_id} for requests {before.number} and {request.number}")
    return [without_exception("no order id is given to two requests but by their key", wrong)]


def in_the_ledger(story: Story, walk: Walk) -> list[Check]:
    """What answers and ledger show together."""
    accepted: dict[str, Request] = {}
    for request, _, order_id in story.accepted():
        accepted.setdefault(order_id, request)
    return [
        _one_answer_each(story, walk, accepted),
        _none_from_nowhere(story, walk, accepted),
        _as_asked(walk, accepted),
        _one_key_one_order(story, walk),
    ]


def notes(story: Story, walk: Walk) -> list[str]:
    """What is no fault, and yet no pleasure."""
    seconds = len(_forgotten(story, walk))
    told = f"keys that made a second order, which the ledger then rejected: {seconds}"
    return [told] if seconds else []


def _one_answer_each(story: Story, walk: Walk, accepted: Iterable[str]) -> Check:
    promise = "every accepted order has its final answer in the ledger"
    lost = [order_id for order_id in accepted if order_id not in walk.orders]
    if story.end is not None and not story.end.awaited:
        return Check(promise, passed=True, detail=f"{len(lost)} undecided, and not waited for")
    return without_exception(promise, lost)


def _none_from_nowhere(story: Story, walk: Walk, accepted: dict[str, Request]) -> Check:
    """A request that was not heard excuses one order, a key pressed in vain one, a message its own."""
    sent = {request.order_id for request in story.unheard() if request.method == "SEND"}
    unheard = _unheard_by_buyer(story)
    wrong = []
    for order_id, lived in walk.orders.items():
        if order_id in accepted or order_id in sent:
            continue
        buyer = (lived.row.event_id, lived.row.user_id)
        if unheard[buyer]:
            unheard[buyer] -= 1
        else:
            wrong.append(order_id)
    return without_exception("no order in the ledger came from nowhere", wrong)


def _unheard_by_buyer(story: Story) -> Counter[tuple[int | None, str | None]]:
    asked = {
        (request.event_id, request.user_id, request.idempotency_key or request.number)
        for request in story.unheard()
        if request.method != "SEND"
    }
    return Counter((event_id, user_id) for event_id, user_id, _ in asked)


def _as_asked(walk: Walk, accepted: dict[str, Request]) -> Check:
    wrong = [
        order_id
        for order_id, request in accepted.items()
        if (lived := walk.orders.get(order_id)) is not None and not _is_of(lived, request)
    ]
    return without_exception("every order in the ledger is what its buyer asked for", wrong)


def _is_of(lived: Lived, request: Request) -> bool:
    row = lived.row
    asked = (request.event_id, request.user_id, request.quantity)
    return (row.event_id, row.user_id, row.quantity) == asked


def _one_key_one_order(story: Story, walk: Walk) -> Check:
    excused = _forgotten(story, walk)
    wrong = [
        f"{user_id}'s {key}: " + " and ".join(ids)
        for (user_id, key), ids in _by_key(story).items()
        if len(ids) > 1 and (user_id, key) not in excused
    ]
    return without_exception("one key of a buyer is one order", wrong)


def _forgotten(story: Story, walk: Walk) -> set[tuple[str, str]]:
    """Keys whose later orders were all rejected for the key: one order was theirs, whoever was first."""
    return {
        key
        for key, ids in _by_key(story).items()
        if len(ids) > 1 and sum(not _rejected_for_its_key(walk, order_id) for order_id in ids) <= 1
    }


def _rejected_for_its_key(walk: Walk, order_id: str) -> bool:
    lived = walk.orders.get(order_id)
    return lived is not None and (lived.row.status, lived.row.reason) == ("rejected", KEY_REUSED)


def _by_key(story: Story) -> dict[tuple[str, str], list[str]]:
    """The orders that each buyer's key was answered with, each once."""
    ids: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for request, _, order_id in story.accepted():
        if request.idempotency_key is not None and request.user_id is not None:
            named = ids[request.user_id, request.idempotency_key]
            if order_id not in named:
                named.append(order_id)
    return ids


def _same(one: Request, other: Request) -> bool:
    """The same buyer asks for the same thing with the same key."""
    key = one.idempotency_key
    facts = (one.event_id, one.user_id, one.items)
    return (
        key is not None
        and key == other.idempotency_key
        and facts == (other.event_id, other.user_id, other.items)
    )
