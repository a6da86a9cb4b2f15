"""Has dead letters tried again: chosen ones, or all, by SQS itself where it can. Each call leaves a record.

A message is on the order queue before it is off the dead-letter queue, and off that before the ledger says
so: whoever dies in between leaves a second copy, which sells nothing twice, and never none. What the
dead-letter queue no longer keeps is sent from the ledger's copy. It knows no HTTP and no rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.aws.answers import AwsRefused
from chalicelib.log import log
from chalicelib.model import DeadLetterQuery, DeadLetterState
from chalicelib.ops.looking_through import look_through
from chalicelib.ops.selections import (
    MOST,
    WORK_SECONDS,
    Wish,
    is_all,
    record,
    still_wanted,
    wanted_of,
    without_copy,
)
from chalicelib.queue.dead_letters import Copy, MoveTask
from chalicelib.queue.messages import Undecodable
from chalicelib.records import order_in
from chalicelib.services import Services

ONE_BY_ONE, MOVE_TASK = "one-by-one", "move-task"

Monotonic = Callable[[], float]


class Redriven(NamedTuple):
    """`moved` by this call, or by SQS's task so far; `left` to be moved; done when there is nothing left."""

    moved: int
    left: int
    done: bool
    via: str


def redrive(
    services: Services, selection: DeadLetterQuery, wish: Wish, monotonic: Monotonic = time.monotonic
) -> Redriven:
    """Puts dead letters on the order queue again, for WORK_SECONDS; call again until it is done.

    The selection is message ids, a filter, or neither: then all, also those that SQS buried by itself and the
    ledger has not heard of, by SQS's own task where there is one. Raises Unavailable.
    """
    if is_all(selection):
        result = _by_task(services) or _all(services, monotonic() + WORK_SECONDS, monotonic)
    else:
        result = _chosen(services, selection, monotonic() + WORK_SECONDS, monotonic)
    if result.moved:
        detail: dict[str, object] = {"moved": result.moved, "left": result.left, "via": result.via}
        record(services, "dead-letters-redriven", selection, wish, detail)
    return result


def _chosen(services: Services, selection: DeadLetterQuery, until: float, monotonic: Monotonic) -> Redriven:
    wanted = wanted_of(services, selection)
    found = look_through(services, wanted.ids, _putting_back(services), until, monotonic)
    moved = found.done | _resent(services, without_copy(found, wanted), until, monotonic)
    services.ledger.mark_redriven(moved, services.clock())
    if selection.message_ids is None:
        left = _count_dead(services, selection)
    else:
        left = len(still_wanted(found, wanted) - moved)
    return Redriven(len(moved), left, left == 0, ONE_BY_ONE)


def _all(services: Services, until: float, monotonic: Monotonic) -> Redriven:
    found = look_through(services, None, _putting_back(services), until, monotonic)
    services.ledger.mark_redriven(found.done, services.clock())
    if not found.to_the_end:
        return Redriven(len(found.done), sum(services.dead_letters.counts()), False, ONE_BY_ONE)
    query = DeadLetterQuery(state=DeadLetterState.DEAD, limit=MOST)
    rest = [each.message_id for each in services.ledger.dead_letters(query)]
    resent = _resent(services, rest, until, monotonic)
    services.ledger.mark_redriven(resent, services.clock())
    left = _count_dead(services, DeadLetterQuery())
    return Redriven(len(found.done | resent), left, left == 0, ONE_BY_ONE)


def _by_task(services: Services) -> Redriven | None:
    """SQS's own move: begun, under way or over; None where SQS has none, or there is nothing to move."""
    task = services.dead_letters.move_task()
    if task is not None and task.running:
        return Redriven(task.moved, max(0, task.to_move - task.moved), False, MOVE_TASK)
    size = sum(services.dead_letters.counts())
    if size and services.dead_letters.start_move():
        return Redriven(0, size, False, MOVE_TASK)
    if not size and task is not None and (marked := _mark_moved_by(services, task)):
        left = _count_dead(services, DeadLetterQuery())
        return Redriven(max(task.moved, marked), left, left == 0, MOVE_TASK)
    return None


def _mark_moved_by(services: Services, task: MoveTask) -> int:
    started = datetime.fromtimestamp(task.started_ms / 1_000, UTC)
    return services.ledger.mark_all_redriven(started, services.clock())


def _putting_back(services: Services) -> Callable[[Sequence[Copy]], set[str]]:
    def act(copies: Sequence[Copy]) -> set[str]:
        sent = services.dead_letters.put_back([_grouped(copy) for copy in copies])
        return {copy.message_id for copy in sent}

    return act


def _grouped(copy: Copy) -> Copy:
    """With its event as the fair queue's tenant, as the door sends it."""
    try:
        return copy if copy.group else copy._replace(group=str(order_in(copy.body).event_id))
    except Undecodable:
        return copy


def _resent(services: Services, message_ids: Iterable[str], until: float, monotonic: Monotonic) -> set[str]:
    """Sends what has no copy any more from the ledger's, one by one: it is rare."""
    sent: set[str] = set()
    for message_id in message_ids:
        if monotonic() > until:
            break
        body = services.ledger.body_of(message_id)
        try:
            services.dead_letters.send(body or "", _grouped(Copy(message_id, "", body or "", "")).group)
        except AwsRefused as error:  # it holds what SQS takes in no message: nothing that came from there
            log("dead-letter-not-sent", "error", messageId=message_id, detail=str(error))
        else:
            sent.add(message_id)
    return sent


def _count_dead(services: Services, selection: DeadLetterQuery) -> int:
    return services.ledger.count_dead_letters(replace(selection, state=DeadLetterState.DEAD))
