"""The gate's key names. All keys of one event share a hash tag, so a script runs in one cluster slot."""

from __future__ import annotations

LOADED = b"onsale:loaded"
"""Set of the ids of all events that were ever filled; its own slot, read by the reconciler only."""


def terms(event_id: int) -> bytes:
    """Hash: what the sale allows (window, limits, ticket types and prices)."""
    return b"{e:%d}:terms" % event_id


def stock(event_id: int) -> bytes:
    """Hash: ticket type id to tickets that can still be given."""
    return b"{e:%d}:stock" % event_id


def claims(event_id: int) -> bytes:
    """Hash: order id to the claim, which is the message on the queue."""
    return b"{e:%d}:claims" % event_id


def waiting(event_id: int) -> bytes:
    """Sorted set: order id by the time its message was last put on the queue, ms."""
    return b"{e:%d}:waiting" % event_id


def epoch(event_id: int) -> bytes:
    """Counter: goes up when claims are settled or terms change; a view of the ledger read before is old."""
    return b"{e:%d}:epoch" % event_id


def loading(event_id: int) -> bytes:
    """Lock with a short life: who holds it fills the gate."""
    return b"{e:%d}:loading" % event_id
