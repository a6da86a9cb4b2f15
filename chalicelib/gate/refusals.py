"""Turns the admit script's short refusals into errors: shown to the buyer, or acted on by admission."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.errors import InvalidRequest, OnsaleError, Rejected
from chalicelib.gate.quotas import rate_limited


class NotLoaded(Exception):
    """The gate does not know the event: fill it from the ledger and ask again."""


class KeyForgotten(Exception):
    """The gate was refilled and has forgotten earlier idempotency keys: ask the ledger for this one."""


class Settled(Exception):
    """The idempotency key has an order whose claim is settled: the ledger has it."""

    def __init__(self, order_id: str) -> None:
        """`order_id` is the order that has the key."""
        super().__init__(order_id)
        self.order_id = order_id


_SENTENCES = {
    "sold-out": "Every ticket of this kind is sold or on its way to a buyer.",
    "not-enough-tickets": "Only {0} of these tickets are left.",
    "sale-not-open": "The sale opens at {0}.",
    "sale-closed": "The sale is over.",
    "sale-paused": "The sale is paused; try again later.",
    "order-limit-exceeded": "One order may hold at most {0} tickets.",
    "buyer-limit-exceeded": "One buyer may have at most {0} tickets of this event.",
    "ticket-type-not-found": "This event has no ticket type {0}.",
    "idempotency-key-reused": "This Idempotency-Key came with another request before.",
}


def refusal(answer: str) -> OnsaleError | NotLoaded | KeyForgotten | Settled:
    """Makes the error for one answer of `admit.lua`: a code, for some followed by a blank and a figure."""
    code, _, figure = answer.partition(" ")
    if code == "not-loaded":
        return NotLoaded()
    if code == "key-forgotten":
        return KeyForgotten()
    if code == "settled":
        return Settled(figure)
    if code == "ticket-type-required":
        return InvalidRequest([("items", "this event has several ticket types: name those wanted")])
    if code == "rate-limited":
        bucket, per_minute, wait_us = figure.split()
        return rate_limited(bucket, int(per_minute), int(wait_us))
    if code == "sale-not-open":
        figure = datetime.fromtimestamp(int(figure) / 1000, UTC).isoformat().replace("+00:00", "Z")
    return Rejected(code, _SENTENCES[code].format(figure))
