"""Writes an event's terms of sale as the gate's hash wants them: texts, '' for no limit."""

from __future__ import annotations

from datetime import datetime

from chalicelib.model import Event


def terms_of(event: Event) -> list[str]:
    """Returns field, value by turns for the `terms` hash; `admit.lua` names the fields."""
    fields = {
        "version": str(event.version),
        "state": event.sales_state.value,
        "currency": event.currency,
        "types": ",".join(str(ticket_type.id) for ticket_type in event.ticket_types),
        "openAtMs": _milliseconds(event.sales_open_at),
        "closeAtMs": _milliseconds(event.sales_close_at),
        "maxPerOrder": _limit(event.max_per_order),
        "maxPerBuyer": _limit(event.max_per_buyer),
        "buyerRateLimit": _limit(event.buyer_rate_limit),
        "clientRateLimit": _limit(event.client_rate_limit),
    }
    fields |= {f"price:{ticket_type.id}": str(ticket_type.price) for ticket_type in event.ticket_types}
    return [text for pair in fields.items() for text in pair]


def _limit(most: int | None) -> str:
    return "" if most is None else str(most)


def _milliseconds(moment: datetime | None) -> str:
    return "" if moment is None else str(round(moment.timestamp() * 1000))
