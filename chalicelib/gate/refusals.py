"""Turns the admit script's short refusals into the errors that a buyer is shown."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.errors import InvalidRequest, OnsaleError, Rejected


class NotLoaded(Exception):
    """The gate does not know the event: fill it from the ledger and ask again."""


_SENTENCES = {
    "sold-out": "Every ticket of this kind is sold or on its way to a buyer.",
    "not-enough-tickets": "Only {0} of these tickets are left.",
    "sale-not-open": "The sale opens at {0}.",
    "sale-closed": "The sale is over.",
    "sale-paused": "The sale is paused; try again later.",
    "order-limit-exceeded": "One order may hold at most {0} tickets.",
    "ticket-type-not-found": "This event has no ticket type {0}.",
}


def refusal(answer: str) -> OnsaleError | NotLoaded:
    """Makes the error for one answer of `admit.lua`: a code, for some followed by a blank and a figure."""
    code, _, figure = answer.partition(" ")
    if code == "not-loaded":
        return NotLoaded()
    if code == "ticket-type-required":
        return InvalidRequest([("items", "this event has several ticket types: name those wanted")])
    if code == "sale-not-open":
        figure = datetime.fromtimestamp(int(figure) / 1000, UTC).isoformat().replace("+00:00", "Z")
    return Rejected(code, _SENTENCES[code].format(figure))
