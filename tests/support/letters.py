"""Puts messages that failed into a ledger's books, real or in memory, as workers and operators leave them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import asdict
from psycopg import Connection

from chalicelib.model import FailedAttempt
from chalicelib.traces import Letter
from tests.support.events import NOON

_LETTER = (
    "INSERT INTO dead_letters (message_id, order_id, event_id, user_id, body, reason, receive_count,"
    " failures, recorded_at, moved_at, redriven_at, deleted_at) VALUES (%(message_id)s, %(order_id)s,"
    " %(event_id)s, %(user_id)s, '{}', %(reason)s, 1, %(failures)s, %(recorded_at)s, %(moved_at)s,"
    " %(redriven_at)s, %(deleted_at)s) ON CONFLICT (message_id) DO UPDATE SET failures = excluded.failures,"
    " recorded_at = excluded.recorded_at, moved_at = excluded.moved_at, redriven_at = excluded.redriven_at,"
    " deleted_at = excluded.deleted_at"
)
_ATTEMPT = (
    "INSERT INTO failed_attempts (message_id, failed_at, reason, receive_count)"
    " VALUES (%(message_id)s, %(failed_at)s, %(reason)s, %(receive_count)s)"
)


class Failure(msgspec.Struct, frozen=True):
    """One failure of one message."""

    message_id: str
    attempt: FailedAttempt


def a_letter(message_id: str = "m-1", **fields: Any) -> Letter:
    """A message that failed once, at noon; nobody could read it unless an order is given."""
    some: dict[str, Any] = {"reason": "a bug", "failures": 1, "recorded_at": NOON}
    return Letter(message_id=message_id, **(some | fields))


def a_failure(message_id: str = "m-1", **fields: Any) -> Failure:
    """A first delivery that failed at noon."""
    some: dict[str, Any] = {"failed_at": NOON, "reason": "a bug", "receive_count": 1}
    return Failure(message_id, FailedAttempt(**(some | fields)))


def write(connection: Connection, *kept: Letter | Failure) -> None:
    """Keeps them in PostgreSQL; a letter that is there already is what it is now."""
    for each in kept:
        if isinstance(each, Letter):
            connection.execute(_LETTER.encode(), asdict(each))
        else:
            connection.execute(_ATTEMPT.encode(), {"message_id": each.message_id, **asdict(each.attempt)})


def keep(ledger: Any, *kept: Letter | Failure) -> None:
    """Keeps them in the books of a twin."""
    for each in kept:
        if isinstance(each, Letter):
            ledger._failed[each.message_id] = each
        else:
            ledger._attempts.setdefault(each.message_id, []).append(each.attempt)
