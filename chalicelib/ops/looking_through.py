"""Looks through the dead-letter queue for messages, acts on them, and lets others see the rest again.

What has been dealt with before, and left a second copy, is removed on the way. When the time is up before
the end, the rest stays hidden for a while, so that the next call goes on from there instead of meeting the
same ones. It knows no order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.log import log
from chalicelib.model import DeadLetterQuery, DeadLetterState
from chalicelib.queue.dead_letters import Copy
from chalicelib.services import Services

_OVER = frozenset({DeadLetterState.REDRIVEN, DeadLetterState.DELETED})


class Found(NamedTuple):
    """Ids of the messages that are done with, and of all wanted ones that were seen; whether to the end.

    It is not the end while somebody else has messages in hand: they may come back.
    """

    done: set[str]
    seen: set[str]
    to_the_end: bool


def look_through(
    services: Services,
    wanted: Collection[str] | None,
    act: Callable[[Sequence[Copy]], set[str]],
    until: float,
    monotonic: Callable[[], float],
) -> Found:
    """Acts on the wanted messages (None: on all), until each was seen, the queue has no more, or `until`.

    `act` is handed one copy of each id and returns the ids that it is done with; further copies are removed.
    Raises Unavailable and whatever `act` raises; what is in hand is released then as well.
    """
    done: set[str] = set()
    seen: set[str] = set()
    rest: list[Copy] = []
    in_time = True
    try:
        while wanted is None or not seen.issuperset(wanted):
            if not (in_time := monotonic() < until):
                break
            if not (taken := services.dead_letters.take()):
                in_hand = services.dead_letters.counts()[1]
                return Found(done, seen, in_hand <= len(rest))
            hits = [copy for copy in taken if wanted is None or copy.message_id in wanted]
            fresh = {copy.message_id: copy for copy in hits if copy.message_id not in done}
            seen |= fresh.keys()
            done |= act(list(fresh.values()))
            again = [copy for copy in hits if copy is not fresh.get(copy.message_id)]
            services.dead_letters.remove([copy for copy in again if copy.message_id in done])
            rest += [copy for copy in taken if copy.message_id not in done]
    finally:
        if in_time:
            _release(services, rest)
    return Found(done, seen, False)


def _release(services: Services, rest: Sequence[Copy]) -> None:
    """What goes wrong in this costs nothing: the messages are seen again by themselves after a while."""
    try:
        over = _dealt_with(services, rest)
        services.dead_letters.remove([copy for copy in rest if copy.message_id in over])
        services.dead_letters.release([copy for copy in rest if copy.message_id not in over])
    except (Unavailable, AwsRefused) as error:
        log("dead-letters-not-released", "warning", detail=str(error), records=len(rest))


def _dealt_with(services: Services, rest: Sequence[Copy]) -> set[str]:
    ids = tuple({copy.message_id for copy in rest})
    if not ids:
        return set()
    found = services.ledger.dead_letters(DeadLetterQuery(message_ids=ids, limit=len(ids)))
    return {each.message_id for each in found if each.state in _OVER}
