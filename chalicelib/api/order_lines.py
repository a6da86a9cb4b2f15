"""What is told of each POST /orders: a line of the log with its metrics, accepted or not. Names no buyer."""

from __future__ import annotations

from chalicelib.admission import Placed
from chalicelib.api.operations import Call, Operation
from chalicelib.errors import OnsaleError, Rejected
from chalicelib.metrics import emit, ms_since

_NO_EVENTS = frozenset({"event-not-found", "invalid-request"})
"""Refusals that may name an event that is none: a stranger's numbers must not make a metric each."""


def note_acceptance(call: Call, placed: Placed) -> None:
    """Writes the line of an order that was accepted, now or when its key came before."""
    order = placed.order
    fact, counted = ("order-replayed", "Replayed") if placed.replayed else ("order-accepted", "Accepted")
    values = {counted: 1, "AcceptLatency": ms_since(call.began)}
    about = {"eventId": order.event_id, "orderId": order.order_id}
    emit(fact, values, fields=about, event_id=order.event_id)


def note_problem(call: Call, declared: Operation, error: OnsaleError) -> None:
    """Writes the line of an order that was refused, or that cannot be taken now."""
    if isinstance(error, Rejected):
        _note_refusal(call, error.code)
    else:
        cause = {"operation": declared.id, "cause": error.detail}
        emit("not-now", {"Unavailable": 1}, "warning", cause)


def _note_refusal(call: Call, code: str) -> None:
    values = {"Refused": 1, "RefuseLatency": ms_since(call.began)}
    about: dict[str, object] = {"code": code}
    if call.event_id is not None:
        about["eventId"] = call.event_id
    emit(
        "order-refused",
        values,
        fields=about,
        event_id=None if code in _NO_EVENTS else call.event_id,
        code=code,
    )
