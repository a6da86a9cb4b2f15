"""The dead letters: looked at, foreseen, tried again, given up. What is done leaves a record in the log.

Where they lie and how they are moved is known to the modules beside `api`; here is only how it is asked for.
"""

from __future__ import annotations

import re

from chalice.app import Response

from chalicelib.api.cursors import before_letter, read_before_letter
from chalicelib.api.dead_letter_views import (
    DeadLetterDetail,
    DeadLetterPage,
    DeletionView,
    DryRunView,
    MoveTaskView,
    RedriveView,
    dead_letter_detail,
    dead_letter_view,
    dry_run_view,
)
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.schemas import Deletion, LetterFilter, LetterSearch, NoQuery, Redrive, Selection
from chalicelib.errors import InvalidRequest, Rejected
from chalicelib.model import DeadLetterQuery
from chalicelib.services import Services

SELECTION_BYTES = 64 * 1024
"""Five hundred message ids of a hundred characters."""

_ONE_OF = "give exactly one of messageIds, filter and all"
_MESSAGE_ID = re.compile(r"[!-~]{1,100}")


@operation("GET /ops/dead-letters", query=LetterSearch, answers={200: DeadLetterPage}, codes=("unavailable",))
def list_dead_letters(services: Services, _: Call, search: LetterSearch) -> Response:
    """List messages that failed by themselves, newest first."""
    query = DeadLetterQuery(
        event_id=search.event_id or None,
        user_id=search.user_id or None,
        reason=search.reason or None,
        state=search.state or None,
        before=read_before_letter(search.cursor) if search.cursor else None,
        limit=search.limit + 1,
    )
    found = services.ledger.dead_letters(query)
    shown = found[: search.limit]
    more = before_letter(shown[-1].recorded_at, shown[-1].message_id) if len(found) > search.limit else None
    page = DeadLetterPage(
        items=[dead_letter_view(each) for each in shown],
        next_cursor=more,
        total=services.ledger.count_dead_letters(query),
    )
    return answer(200, page)


@operation(
    "GET /ops/dead-letters/{messageId}",
    answers={200: DeadLetterDetail},
    codes=("dead-letter-not-found", "unavailable"),
)
def get_dead_letter(services: Services, call: Call, _: NoQuery) -> Response:
    """Read a message that failed, its failures, and what a replay would do now."""
    from chalicelib.ops.dry_run import dry_run  # the door rarely needs it

    message_id = call.path["messageId"]
    known = _MESSAGE_ID.fullmatch(message_id)
    items = dry_run(services, DeadLetterQuery(message_ids=(message_id,))).items if known else []
    if not items:
        raise Rejected("dead-letter-not-found", "No message with this id has failed by itself.")
    ((letter, forecast),) = items
    body = services.ledger.body_of(message_id) or ""
    attempts = services.ledger.failed_attempts(message_id)
    return answer(200, dead_letter_detail(letter, body, attempts, forecast))


@operation(
    "POST /ops/dead-letters/dry-run",
    body=Selection,
    answers={200: DryRunView},
    codes=("unavailable",),
    limit_bytes=SELECTION_BYTES,
)
def foresee_redrive(services: Services, _: Call, selection: Selection) -> Response:
    """Foresee what a redrive would do; it changes nothing."""
    from chalicelib.ops.dry_run import dry_run

    foreseen = dry_run(services, _selected(selection))
    return answer(200, dry_run_view(foreseen.items, truncated=foreseen.truncated))


@operation("GET /ops/dead-letters/redrive", answers={200: MoveTaskView}, codes=("unavailable",))
def get_redrive(services: Services, _: Call, __: NoQuery) -> Response:
    """See how far SQS has come with moving all dead letters by itself."""
    task = services.dead_letters.move_task()
    if task is None:
        return answer(200, MoveTaskView(running=False, moved=0, to_move=0))
    return answer(200, MoveTaskView(running=task.running, moved=task.moved, to_move=task.to_move))


@operation(
    "POST /ops/dead-letters/redrive",
    body=Redrive,
    answers={200: RedriveView},
    codes=("unavailable",),
    limit_bytes=SELECTION_BYTES,
)
def redrive_dead_letters(services: Services, call: Call, body: Redrive) -> Response:
    """Put dead letters on the order queue again; ask again until it is done."""
    from chalicelib.ops.dead_letters import redrive
    from chalicelib.ops.selections import Wish

    done = redrive(services, _selected(body), Wish(call.caller.actor, body.reason))
    return answer(200, RedriveView(moved=done.moved, left=done.left, done=done.done, via=done.via))


@operation(
    "POST /ops/dead-letters/delete",
    body=Deletion,
    answers={200: DeletionView},
    codes=("unavailable",),
)
def delete_dead_letters(services: Services, call: Call, body: Deletion) -> Response:
    """Give dead letters up; an order that has no answer yet is cancelled."""
    from chalicelib.ops.giving_up import give_up
    from chalicelib.ops.selections import Wish

    done = give_up(services, body.message_ids, Wish(call.caller.actor, body.reason))
    return answer(200, DeletionView(deleted=done.deleted, left=done.left))


OPERATIONS: tuple[Operation, ...] = (
    list_dead_letters,
    get_dead_letter,
    foresee_redrive,
    get_redrive,
    redrive_dead_letters,
    delete_dead_letters,
)


def _selected(given: Selection) -> DeadLetterQuery:
    """What is selected. Raises InvalidRequest unless it is said in exactly one way."""
    ids, narrowed = given.message_ids or None, given.filter or None
    if (ids is not None) + (narrowed is not None) + given.all != 1:
        raise InvalidRequest([("messageIds", _ONE_OF)])
    if narrowed is None:
        return DeadLetterQuery(message_ids=tuple(ids) if ids else None)
    if narrowed == LetterFilter():
        raise InvalidRequest([("filter", "give at least one of eventId, userId and reason")])
    return DeadLetterQuery(
        event_id=narrowed.event_id or None, user_id=narrowed.user_id or None, reason=narrowed.reason or None
    )
