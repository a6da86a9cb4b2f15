"""Pauses and resumes fulfilment, and has it written down who did it and why. It knows no HTTP and no SQL.

While fulfilment is paused, orders are accepted and wait on the queue. The switch is thrown first, and the
record is written then: what makes an operator pause may be the ledger itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.aws.event_source_mapping import EventSourceMapping
from chalicelib.aws.mapping import Mapping
from chalicelib.errors import Rejected, Unavailable, Undecided
from chalicelib.log import log
from chalicelib.model import AuditRecord

if TYPE_CHECKING:
    from chalicelib.services import Services

TARGET = "fulfilment"


def pause_fulfilment(services: Services, actor: str, reason: str) -> Mapping:
    """Has no further order decided; batches that are under way are finished.

    Returns the mapping as it is on its way. Raises Rejected("fulfilment-not-switchable") where no mapping is
    known, Unavailable when Lambda does not answer, Undecided when it did and the record could not be
    written: asking again writes it.
    """
    return _switch(services, AuditRecord(services.clock(), actor, "fulfilment-paused", TARGET, reason))


def resume_fulfilment(services: Services, actor: str, reason: str) -> Mapping:
    """Has orders decided again. Returns and raises as `pause_fulfilment`."""
    return _switch(services, AuditRecord(services.clock(), actor, "fulfilment-resumed", TARGET, reason))


def _switch(services: Services, record: AuditRecord) -> Mapping:
    mapping = _switchable(services).switch(enabled=record.action == "fulfilment-resumed")
    log(record.action, state=mapping.state)
    try:
        services.ledger.record_action(record)
    except Unavailable as error:
        log("action-not-recorded", "warning", action=record.action, cause=error.detail)
        raise Undecided(
            "ledger", f"Done: {record.action}. It could not be written down; ask again to have it recorded."
        ) from error
    return mapping


def _switchable(services: Services) -> EventSourceMapping:
    if services.fulfilment is None:
        raise Rejected(
            "fulfilment-not-switchable", "FULFILMENT_MAPPING_ID does not say which mapping hands orders over."
        )
    return services.fulfilment
