"""Tells what a replay of dead letters would do now, and changes nothing. It knows no HTTP and no queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.model import DeadLetter, DeadLetterQuery, DeadLetterState, OrderPlaced
from chalicelib.queue.messages import Undecodable
from chalicelib.records import order_in
from chalicelib.rules import Replay, foresee
from chalicelib.services import Services

MOST = 500
"""Messages of one dry run: one snapshot of the ledger, some 20 ms."""


class Foreseen(NamedTuple):
    """What would become of each message, newest first; `truncated`: there are more than MOST."""

    items: list[tuple[DeadLetter, Replay]]
    truncated: bool


def dry_run(services: Services, selection: DeadLetterQuery) -> Foreseen:
    """Foresees what a redrive of the selection would do: of given ids in any state, else of what lies dead.

    Raises Unavailable when the ledger is down.
    """
    state = None if selection.message_ids is not None else DeadLetterState.DEAD
    query = replace(selection, state=state, limit=MOST + 1)
    found = services.ledger.dead_letters_with_bodies(query)
    forecasts = _forecasts(services, found[:MOST])
    items = [(letter, forecasts[letter.message_id]) for letter, _ in found[:MOST]]
    return Foreseen(items, len(found) > MOST)


def _forecasts(services: Services, found: Sequence[tuple[DeadLetter, str]]) -> dict[str, Replay]:
    messages = {letter.message_id: _read(body) for letter, body in found}
    orders = [message for message in messages.values() if not isinstance(message, str)]
    with services.ledger.attempt() as attempt:
        snapshot = attempt.snapshot(orders, keyed=True)
    return foresee(messages, snapshot, services.clock())


def _read(body: str) -> OrderPlaced | str:
    try:
        return order_in(body)
    except Undecodable as error:
        return str(error)[:500] or "undecodable"
