"""Who did what, when, why and to what: written once, never changed. It does not know what an action does."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.ledger.store import Store
from chalicelib.model import AuditRecord, LoggedAction
from chalicelib.order_ids import new_log_id


class AuditLog(Store):
    """The actions of operators."""

    def record_action(self, record: AuditRecord) -> None:
        """Writes one record. Raises Unavailable; when that is ambiguous it may be written."""
        self._count(self._queries.record_action, row_of(record))

    def actions(self, before: str | None, limit: int) -> list[LoggedAction]:
        """Lists at most `limit` actions older than the one with the id `before`, newest first."""
        rows = self._rows(self._queries.read_actions, {"before": before, "lim": limit})
        return [
            LoggedAction(at, actor, action, target, reason, msgspec.json.decode(detail), id=id_)
            for at, actor, action, target, reason, detail, id_ in rows
        ]


def row_of(record: AuditRecord) -> dict[str, Any]:
    """What the statement record_action takes, under a new id."""
    return {
        "id": new_log_id(round(record.at.timestamp() * 1_000_000)),
        "at": record.at,
        "actor": record.actor,
        "action": record.action,
        "target": record.target,
        "reason": record.reason,
        "detail": msgspec.json.encode(record.detail).decode(),
    }
