"""The ledger's list of failed messages, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec.structs import asdict, replace

from chalicelib.model import DeadLetter, DeadLetterQuery, FailedAttempt, FailedMessage
from tests.fakes.books import Books

LONGEST_BYTES = 65_536


class MemoryDeadLetters(Books):
    """Counts failures by message id."""

    def count_failures(self, failed: Sequence[FailedMessage], now: datetime) -> dict[str, tuple[int, bool]]:
        """Counts one more failure of each message."""
        with self._lock:
            for each in {each.message_id: each for each in reversed(failed)}.values():
                self._count_failure(each, now)
            found = [self._failed[each.message_id] for each in failed]
            return {each.message_id: (each.failures, each.moved_at is not None) for each in found}

    def _count_failure(self, each: FailedMessage, now: datetime) -> None:
        before = self._failed.get(each.message_id)
        known = asdict(before) if before else {"failures": 0}
        told = {name: value for name, value in asdict(each).items() if name != "body" and value is not None}
        counted = {"failures": known["failures"] + 1, "recorded_at": now}
        self._failed[each.message_id] = DeadLetter(**known | told | counted)
        self._bodies.setdefault(each.message_id, each.body)
        attempt = FailedAttempt(now, each.reason, each.receive_count)
        self._attempts.setdefault(each.message_id, []).append(attempt)

    def dead_letters(self, query: DeadLetterQuery) -> list[DeadLetter]:
        """Lists the last ones first."""
        found = sorted(self._found(query), key=_place, reverse=True)
        return [each for each in found if query.before is None or _place(each) < query.before][: query.limit]

    def dead_letters_with_bodies(self, query: DeadLetterQuery) -> list[tuple[DeadLetter, str]]:
        """The same with bodies that are not too long."""
        bodies = {id_: body for id_, body in self._bodies.items() if len(body.encode()) <= LONGEST_BYTES}
        return [(each, bodies.get(each.message_id, "")) for each in self.dead_letters(query)]

    def count_dead_letters(self, query: DeadLetterQuery) -> int:
        """Counts all pages."""
        return len(self._found(query))

    def body_of(self, message_id: str) -> str | None:
        """The whole body."""
        return self._bodies.get(message_id)

    def failed_attempts(self, message_id: str) -> list[FailedAttempt]:
        """The last one first."""
        return self._attempts.get(message_id, [])[:-101:-1]

    def have_messages(self, order_ids: Iterable[str], failed_since: datetime) -> frozenset[str]:
        """Those without an answer that lie dead, or have failed since."""
        with self._lock:
            known = {
                each.order_id
                for each in self._failed.values()
                if _is_open(each) and (each.moved_at is not None or each.recorded_at >= failed_since)
            }
            return frozenset(id_ for id_ in order_ids if id_ in known and id_ not in self._orders)

    def mark_moved(self, message_ids: Iterable[str], now: datetime) -> None:
        """Notes the first time."""
        self._mark(message_ids, lambda each: each.moved_at is None, moved_at=now)

    def mark_redriven(self, message_ids: Iterable[str], now: datetime) -> int:
        """Notes the first time."""
        return self._mark(message_ids, _is_open, redriven_at=now)

    def mark_all_redriven(self, moved_until: datetime, now: datetime) -> int:
        """Notes it of all that had been moved by then."""
        moved = [id_ for id_, each in self._failed.items() if each.moved_at and each.moved_at <= moved_until]
        return self._mark(moved, _is_open, redriven_at=now)

    def mark_deleted(self, message_ids: Iterable[str], now: datetime) -> int:
        """Notes the first time."""
        return self._mark(message_ids, lambda each: each.deleted_at is None, deleted_at=now)

    def _found(self, query: DeadLetterQuery) -> list[DeadLetter]:
        with self._lock:
            return [each for each in self._failed.values() if _matches(each, query)]

    def _mark(
        self, message_ids: Iterable[str], applies: Callable[[DeadLetter], bool], **change: datetime
    ) -> int:
        with self._lock:
            rows = [self._failed[id_] for id_ in set(message_ids) if id_ in self._failed]
            news = [each for each in rows if applies(each)]
            self._failed.update({each.message_id: replace(each, **change) for each in news})
            return len(news)


def _is_open(letter: DeadLetter) -> bool:
    return letter.redriven_at is None and letter.deleted_at is None


def _matches(letter: DeadLetter, query: DeadLetterQuery) -> bool:
    return (
        (query.message_ids is None or letter.message_id in query.message_ids)
        and query.event_id in (None, letter.event_id)
        and query.user_id in (None, letter.user_id)
        and (query.reason is None or query.reason.lower() in letter.reason.lower())
        and query.state in (None, letter.state)
    )


def _place(letter: DeadLetter) -> tuple[datetime, str]:
    return letter.recorded_at, letter.message_id
