"""The ledger's list of failed messages, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import asdict, replace

from chalicelib.model import DeadLetter, FailedMessage
from tests.fakes.books import Books


class MemoryDeadLetters(Books):
    """Counts failures by message id."""

    def count_failures(self, failed: Sequence[FailedMessage], now: datetime) -> dict[str, tuple[int, bool]]:
        """Counts one more failure of each message."""
        with self._lock:
            for each in {each.message_id: each for each in reversed(failed)}.values():
                before = self._failed.get(each.message_id)
                self._failed[each.message_id] = DeadLetter(
                    **asdict(each) | {"body": before.body if before else each.body},
                    failures=before.failures + 1 if before else 1,
                    recorded_at=now,
                    moved_at=before.moved_at if before else None,
                )
            found = [self._failed[each.message_id] for each in failed]
            return {each.message_id: (each.failures, each.moved_at is not None) for each in found}

    def mark_moved(self, message_ids: Iterable[str], now: datetime) -> None:
        """Notes the first time."""
        with self._lock:
            for message_id in message_ids:
                kept = self._failed[message_id]
                self._failed[message_id] = replace(kept, moved_at=kept.moved_at or now)

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Lists the last ones first."""
        found = sorted(self._failed.values(), key=lambda each: (each.recorded_at, each.message_id))
        return found[::-1][:limit]
