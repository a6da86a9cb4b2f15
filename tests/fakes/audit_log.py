"""The ledger's list of who did what, in memory."""

from __future__ import annotations

from msgspec.structs import asdict

from chalicelib.model import AuditRecord, LoggedAction
from chalicelib.order_ids import new_log_id
from tests.fakes.books import Books


class MemoryAuditLog(Books):
    """Keeps records in the order in which they came."""

    def record_action(self, record: AuditRecord) -> None:
        """Writes one record."""
        id_ = new_log_id(round(record.at.timestamp() * 1_000_000))
        with self._lock:
            self._actions.append(LoggedAction(**asdict(record), id=id_))

    def actions(self, before: str | None, limit: int) -> list[LoggedAction]:
        """Lists the newest first."""
        found = sorted(self._actions, key=lambda each: each.id, reverse=True)
        return [each for each in found if before is None or each.id < before][:limit]
