"""Messages that failed by a fault of their own: counted, and kept where an operator finds them.

It does not know the queue, nor how many failures are too many, nor how a message is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.store import Store
from chalicelib.model import DeadLetter, DeadLetterQuery, FailedAttempt, FailedMessage

MOST_ATTEMPTS = 100
"""Of one message that are shown: one is moved aside after five, and may be delivered once more meanwhile."""


class DeadLetters(Store):
    """Rows stay: a message may have failed here and have been done later by a mended worker."""

    def count_failures(self, failed: Sequence[FailedMessage], now: datetime) -> dict[str, tuple[int, bool]]:
        """Counts one more failure of each message, and keeps the attempt with its reason.

        Returns by message id how often each has failed, and whether it was moved aside before.

        Raises Unavailable; when that is ambiguous the failure may be counted, and may be counted twice.
        """
        arguments = {
            "message_ids": texts([each.message_id for each in failed]),
            "bodies": texts([_storable(each.body) for each in failed]),
            "reasons": texts([_storable(each.reason) for each in failed]),
            "receive_counts": plain([each.receive_count for each in failed]),
            "order_ids": texts([each.order_id for each in failed]),
            "event_ids": plain(["NULL" if each.event_id is None else each.event_id for each in failed]),
            "user_ids": texts([each.user_id for each in failed]),
            "recorded_at": now,
        }
        rows = self._rows(self._queries.count_failures, arguments)
        return {message_id: (failures, moved) for message_id, failures, moved in rows}

    def dead_letters(self, query: DeadLetterQuery) -> list[DeadLetter]:
        """Lists messages that failed by a fault of their own, the last one first."""
        return [letter for letter, _ in self._dead_letters(query, with_bodies=False)]

    def dead_letters_with_bodies(self, query: DeadLetterQuery) -> list[tuple[DeadLetter, str]]:
        """The same with what they say; the body is empty where it is longer than any order's (64 KiB)."""
        return self._dead_letters(query, with_bodies=True)

    def count_dead_letters(self, query: DeadLetterQuery) -> int:
        """Counts what the query finds on all its pages."""
        ((found,),) = self._rows(self._queries.count_dead_letters, _arguments(query))
        return int(found)

    def body_of(self, message_id: str) -> str | None:
        """The whole body of a message that failed, None for one that is not known."""
        rows = self._rows(self._queries.read_body, {"message_id": message_id})
        return rows[0][0] if rows else None

    def failed_attempts(self, message_id: str) -> list[FailedAttempt]:
        """Lists a message's failures, the last one first, at most MOST_ATTEMPTS."""
        arguments = {"message_id": message_id, "lim": MOST_ATTEMPTS}
        return [FailedAttempt(*row) for row in self._rows(self._queries.read_failed_attempts, arguments)]

    def have_messages(self, order_ids: Iterable[str], failed_since: datetime) -> frozenset[str]:
        """Tells which of these orders have no answer, but a message: dead, or one that failed lately.

        Ids are UUIDs. A message that failed before `failed_since` may have been lost again meanwhile.
        """
        arguments = {"order_ids": plain(order_ids), "failed_since": failed_since}
        rows = self._rows(self._queries.read_with_messages, arguments)
        return frozenset(order_id for (order_id,) in rows)

    def mark_moved(self, message_ids: Iterable[str], now: datetime) -> None:
        """Notes that these messages are on the dead-letter queue. Raises Unavailable."""
        self._count(self._queries.mark_moved, {"message_ids": texts(message_ids), "moved_at": now})

    def mark_redriven(self, message_ids: Iterable[str], now: datetime) -> int:
        """Notes that these messages are on the order queue again; returns for how many that is news."""
        return self._count(self._queries.mark_redriven, {"message_ids": texts(message_ids), "at": now})

    def mark_all_redriven(self, moved_until: datetime, now: datetime) -> int:
        """The same for all that were moved aside up to `moved_until` and have not been dealt with."""
        return self._count(self._queries.mark_all_redriven, {"moved_until": moved_until, "at": now})

    def mark_deleted(self, message_ids: Iterable[str], now: datetime) -> int:
        """Notes that somebody has given these messages up; returns for how many that is news."""
        return self._count(self._queries.mark_deleted, {"message_ids": texts(message_ids), "at": now})

    def _dead_letters(self, query: DeadLetterQuery, *, with_bodies: bool) -> list[tuple[DeadLetter, str]]:
        at, message_id = query.before or (None, None)
        page = {"before_at": at, "before_id": message_id, "with_bodies": with_bodies, "lim": query.limit}
        rows = self._rows(self._queries.read_dead_letters, _arguments(query) | page)
        return [(DeadLetter(**dict(zip(_COLUMNS, row, strict=False))), row[-1]) for row in rows]


_COLUMNS = DeadLetter.__struct_fields__


def _arguments(query: DeadLetterQuery) -> dict[str, Any]:
    return {
        "message_ids": None if query.message_ids is None else texts(query.message_ids),
        "event_id": query.event_id,
        "user_id": query.user_id,
        "reason": None if query.reason is None else query.reason.lower(),
        "state": None if query.state is None else query.state.value,
    }


def _storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor half a surrogate pair; nothing else is refused here."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
