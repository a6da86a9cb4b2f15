"""Reads the records of an SQS event: each is an order, or says why nobody can make it one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.model import OrderPlaced
from chalicelib.order_ids import is_uuid
from chalicelib.queue.messages import Undecodable, decode

Record = Mapping[str, Any]
"""One record of an SQS event."""
LONGEST_TEXTS = 650
"""Characters of an order's texts together: a buyer and a key of these fit an index entry (2,704 bytes)."""

_INT, _BIGINT = 2**31, 2**63
_YEAR_9999_MS = 253_402_300_800_000


def read(records: Iterable[Record]) -> tuple[list[tuple[str, OrderPlaced]], dict[str, str]]:
    """Returns the readable orders with their message ids, and by message id why the rest is not."""
    orders: list[tuple[str, OrderPlaced]] = []
    unreadable: dict[str, str] = {}
    for record in records:
        message_id = record["messageId"]
        try:
            orders.append((message_id, order_in(record["body"])))
        except Undecodable as error:
            unreadable[message_id] = f"undecodable: {error}"
    return orders, unreadable


def order_in(body: str) -> OrderPlaced:
    """Decodes a message, and refuses one that no row could hold: it must not fail its whole batch.

    Raises Undecodable.
    """
    placed = decode(body)
    if not is_uuid(placed.order_id):
        raise Undecodable("orderId is no UUID in lower case")
    if not (0 < placed.event_id < _INT and 0 <= placed.accepted_at_ms < _YEAR_9999_MS):
        raise Undecodable("eventId or acceptedAtMs out of range")
    _check_texts(placed)
    tickets = money = 0
    for item in placed.items:
        if item.quantity < 1 or item.unit_price < 0:
            raise Undecodable("an item's quantity is below 1 or its price below 0")
        tickets += item.quantity
        money += item.quantity * item.unit_price
    if not 0 < tickets < _INT or money >= _BIGINT:
        raise Undecodable("items: none, too many tickets or too much money")
    return placed


def _check_texts(placed: OrderPlaced) -> None:
    text = placed.user_id + placed.currency
    if placed.idempotency_key is not None or placed.request_digest is not None:
        text += (placed.idempotency_key or "") + (placed.request_digest or "")
    if "\0" in text:
        raise Undecodable("a text has a NUL in it")
    if len(text) > LONGEST_TEXTS:
        raise Undecodable(f"its texts are longer than {LONGEST_TEXTS} characters")
