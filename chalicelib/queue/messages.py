"""Reads the message that carries one order. Writing is the gate's: the claim is the message."""

from __future__ import annotations

import msgspec

from chalicelib.model import MESSAGE_SCHEMA, OrderPlaced

_decoder = msgspec.json.Decoder(OrderPlaced)


class Undecodable(ValueError):
    """A record that no retry can mend: it fails alone and ends in the dead-letter queue."""


def decode(body: str | bytes) -> OrderPlaced:
    """Turns a message body (JSON text) into an order.

    Raises Undecodable when it is not JSON, lacks a field, or has a schema number not known here.
    """
    try:
        placed = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Undecodable(str(error)) from error
    if placed.schema != MESSAGE_SCHEMA:
        raise Undecodable(f"schema {placed.schema}, this worker reads {MESSAGE_SCHEMA}")
    return placed
