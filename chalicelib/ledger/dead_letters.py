"""Messages that failed by a fault of their own: counted, and kept where an operator finds them.

It does not know the queue, nor how many failures are too many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.ledger.arrays import plain, texts
from chalicelib.ledger.store import Store
from chalicelib.model import DeadLetter, FailedMessage


class DeadLetters(Store):
    """Rows stay: a message may have failed here and have been done later by a mended worker."""

    def count_failures(self, failed: Sequence[FailedMessage], now: datetime) -> dict[str, tuple[int, bool]]:
        """Counts one more failure of each message.

        Returns by message id how often each has failed, and whether it was moved aside before.

        Raises Unavailable; when that is ambiguous the failure may be counted, and may be counted twice.
        """
        arguments = {
            "message_ids": texts([each.message_id for each in failed]),
            "bodies": texts([_storable(each.body) for each in failed]),
            "reasons": texts([_storable(each.reason) for each in failed]),
            "receive_counts": plain([each.receive_count for each in failed]),
            "recorded_at": now,
        }
        rows = self._rows(self._queries.count_failures, arguments)
        return {message_id: (failures, moved) for message_id, failures, moved in rows}

    def mark_moved(self, message_ids: Iterable[str], now: datetime) -> None:
        """Notes that these messages are on the dead-letter queue. Raises Unavailable."""
        self._count(self._queries.mark_moved, {"message_ids": texts(message_ids), "moved_at": now})

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Lists at most `limit` messages that failed by a fault of their own, the last one first."""
        rows = self._rows(self._queries.read_dead_letters, {"lim": limit})
        return [DeadLetter(**dict(zip(DeadLetter.__struct_fields__, row, strict=True))) for row in rows]


def _storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor half a surrogate pair; nothing else is refused here."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
