"""Gives dead letters up for good, with an answer for the buyer first. It knows no HTTP and no rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.applying import cause_of
from chalicelib.cancellation import cancel_undecided
from chalicelib.log import log
from chalicelib.model import DeadLetterQuery
from chalicelib.ops.looking_through import look_through
from chalicelib.ops.selections import MOST, WORK_SECONDS, Wish, record, still_wanted, wanted_of, without_copy
from chalicelib.queue.dead_letters import Copy
from chalicelib.queue.messages import Undecodable
from chalicelib.records import order_in
from chalicelib.services import Services


class Deleted(NamedTuple):
    """How many this call deleted, and how many of those asked for still lie dead."""

    deleted: int
    left: int


def give_up(
    services: Services,
    message_ids: Sequence[str],
    wish: Wish,
    monotonic: Callable[[], float] = time.monotonic,
) -> Deleted:
    """Removes dead letters. The order of one that can be read is cancelled first, if it has no answer yet.

    One whose order cannot be cancelled stays. Raises Unavailable.
    """
    selection = DeadLetterQuery(message_ids=tuple(message_ids), limit=MOST)
    wanted = wanted_of(services, selection)

    def act(copies: Sequence[Copy]) -> set[str]:
        through = [copy for copy in copies if _answered(services, copy.message_id, copy.body)]
        services.dead_letters.remove(through)
        return {copy.message_id for copy in through}

    found = look_through(services, wanted.ids, act, monotonic() + WORK_SECONDS, monotonic)
    gone = set(found.done)
    for message_id in without_copy(found, wanted):
        if _answered(services, message_id, services.ledger.body_of(message_id) or ""):
            gone.add(message_id)
    services.ledger.mark_deleted(gone, services.clock())
    result = Deleted(len(gone), len(still_wanted(found, wanted) - gone))
    if gone:
        detail: dict[str, object] = {"deleted": result.deleted, "left": result.left}
        record(services, "dead-letters-deleted", selection, wish, detail)
    return result


def _answered(services: Services, message_id: str, body: str) -> bool:
    """Sees to it that the message's order, if it can be read, has an answer; False when that cannot be."""
    try:
        cancelled = cancel_undecided(services, order_in(body))
    except Undecodable:
        return True
    except Exception as error:
        log("dead-letter-not-cancelled", "error", messageId=message_id, detail=cause_of(error))
        return False
    if cancelled:
        log("dead-letter-cancelled", messageId=message_id)
    return True
