"""Order ids: UUIDv7 (RFC 9562) that carry their event's id, so that the id alone leads to the gate's keys.

48 bits of milliseconds, 12 and 31 random bits, 31 bits of event id. Ids sort by the time of
acceptance. 43 random bits a millisecond make a clash improbable; the ledger's primary key makes
it harmless. This module knows no store.
"""

from __future__ import annotations

import os
import re

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_EVENT_MASK = (1 << 31) - 1
_canonical_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def new_order_id(event_id: int, now_ms: int) -> str:
    """Makes the id of an order for event `event_id` (1 to 2^31-1), accepted at `now_ms`."""
    random = int.from_bytes(os.urandom(6))
    value = (
        (now_ms & (1 << 48) - 1) << 80
        | _VERSION
        | (random >> 36 & 0xFFF) << 64
        | _VARIANT
        | (random & _EVENT_MASK) << 31
        | event_id & _EVENT_MASK
    )
    return _text(value)


def new_log_id(now_us: int) -> str:
    """Makes an id of the same kind for what belongs to no event, at `now_us` (µs since the epoch).

    Ids sort by the microsecond: the 12 bits after the version are the fraction of the millisecond.
    """
    now_ms, fraction_us = divmod(now_us, 1_000)
    random = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    value = (now_ms & (1 << 48) - 1) << 80 | _VERSION | (fraction_us << 12) // 1_000 << 64 | _VARIANT | random
    return _text(value)


def is_uuid(text: str) -> bool:
    """Whether a store can hold the text as an order id: a UUID in lower case, with its hyphens."""
    return _canonical_uuid(text) is not None


def event_of(order_id: str) -> int:
    """Reads the event id out of an order id.

    Raises ValueError when the text is not such an id, in lower case and with its hyphens.
    """
    if not is_uuid(order_id):
        raise ValueError("not an order id")
    value = int(order_id.replace("-", ""), 16)
    if value >> 76 & 0xF != 7 or value >> 62 & 0b11 != 0b10 or not value & _EVENT_MASK:
        raise ValueError("not an order id")
    return value & _EVENT_MASK


def accepted_ms(order_id: str) -> int:
    """Reads the time of acceptance, in ms since the epoch, out of an id that `event_of` accepts."""
    return int(order_id.replace("-", "")[:12], 16)


def _text(value: int) -> str:
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
