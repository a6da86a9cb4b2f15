"""Which dead letters an operator means, what is known of them, and the record of what was done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.log import log
from chalicelib.model import AuditRecord, DeadLetter, DeadLetterQuery, DeadLetterState
from chalicelib.ops.looking_through import Found
from chalicelib.services import Services

WORK_SECONDS = 3.0
"""What one call works: the function has 15 s, and whoever asks wants to see it move."""
MOST = 1_000
"""Messages of one call: what can be sent and deleted in that time."""


class Wish(NamedTuple):
    """Who asks for it, and why."""

    actor: str
    reason: str


class Wanted(NamedTuple):
    """The message ids to look for, and what the ledger has of them; SQS may have buried others by itself."""

    ids: set[str]
    known: Mapping[str, DeadLetter]


def is_all(selection: DeadLetterQuery) -> bool:
    """Whether neither ids nor a filter narrow the selection."""
    return selection.message_ids is None and not _narrowed(selection)


def wanted_of(services: Services, selection: DeadLetterQuery) -> Wanted:
    """Reads what the ledger has of the selection: what lies dead, and ids that it has not heard of."""
    if selection.message_ids is None:
        query = replace(selection, state=DeadLetterState.DEAD, limit=MOST)
        known = {each.message_id: each for each in services.ledger.dead_letters(query)}
        return Wanted(set(known), known)
    known = {each.message_id: each for each in services.ledger.dead_letters(replace(selection, limit=MOST))}
    dead = {id_ for id_, each in known.items() if each.state is DeadLetterState.DEAD}
    return Wanted(set(selection.message_ids) - (set(known) - dead), known)


def still_wanted(found: Found, wanted: Wanted) -> set[str]:
    """Those that there are: an id that neither the ledger nor the queue has heard of is none."""
    return {id_ for id_ in wanted.ids if not found.to_the_end or id_ in wanted.known or id_ in found.seen}


def without_copy(found: Found, wanted: Wanted) -> list[str]:
    """What the ledger knows, and the dead-letter queue has not, as far as anybody can see."""
    missing = wanted.ids & wanted.known.keys() - found.seen
    return sorted(missing) if found.to_the_end else []


def record(
    services: Services, action: str, selection: DeadLetterQuery, wish: Wish, detail: dict[str, object]
) -> None:
    """Writes down what was done, with its counts in `detail`. Raises Unavailable."""
    ids = selection.message_ids
    if ids is None:
        narrowed = _narrowed(selection)
        target = "all" if not narrowed else "those that match a filter"
        detail |= {"filter": narrowed} if narrowed else {}
    else:
        target = ids[0] if len(ids) == 1 else f"{len(ids)} messages"
        detail |= {"messageIds": list(ids)}
    done = AuditRecord(services.clock(), wish.actor, action, target, wish.reason, detail)
    services.ledger.record_action(done)
    log(action, selected=target, counts={name: detail.get(name) for name in ("moved", "deleted", "left")})


def _narrowed(selection: DeadLetterQuery) -> dict[str, object]:
    narrowed = {"eventId": selection.event_id, "userId": selection.user_id, "reason": selection.reason}
    return {name: value for name, value in narrowed.items() if value is not None}
