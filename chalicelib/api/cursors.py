"""Page cursors: opaque to the caller, the last id of a page to us. Knows no store.

A cursor carries the name of its list, so that one list's cursor is refused by another.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from chalicelib.api.schemas import MAX_ID, VISIBLE
from chalicelib.errors import InvalidRequest
from chalicelib.order_ids import event_of, is_uuid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOT_OURS = "is not a cursor of this list"


def after_event(event_id: int) -> str:
    """Makes the cursor of the page that follows event `event_id`."""
    return _pack(f"e:{event_id}")


def read_after_event(cursor: str) -> int:
    """Returns the event id in a cursor. Raises InvalidRequest for anything but a cursor made here."""
    text = _unpack("e:", cursor)
    if not (text.isdecimal() and text.isascii() and int(text) <= MAX_ID):
        raise InvalidRequest([("cursor", _NOT_OURS)])
    return int(text)


def before_order(order_id: str) -> str:
    """Makes the cursor of the page of orders older than `order_id`."""
    return _pack(f"o:{order_id}")


def read_before_order(cursor: str) -> str:
    """Returns the order id in a cursor. Raises InvalidRequest for anything but a cursor made here."""
    text = _unpack("o:", cursor)
    try:
        event_of(text)
    except ValueError as error:
        raise InvalidRequest([("cursor", _NOT_OURS)]) from error
    return text


def after_payment(reference: str) -> str:
    """Makes the cursor of the page of payments that came before the one with `reference`."""
    return _pack(f"p:{reference}")


def read_after_payment(cursor: str) -> str:
    """Returns the reference in a cursor. Raises InvalidRequest for anything but a cursor made here."""
    text = _unpack("p:", cursor)
    if not text or not re.search(VISIBLE, text):
        raise InvalidRequest([("cursor", _NOT_OURS)])
    return text


def before_letter(recorded_at: datetime, message_id: str) -> str:
    """Makes the cursor of the page of dead letters before the one that was recorded at this moment."""
    return _pack(f"d:{(recorded_at - _EPOCH) // _MICROSECOND}:{message_id}")


def read_before_letter(cursor: str) -> tuple[datetime, str]:
    """Returns what `before_letter` was given. Raises InvalidRequest for anything but a cursor made here."""
    text = _unpack("d:", cursor)
    found = re.fullmatch(r"([0-9]{1,17}):([!-~]{1,100})", text, re.ASCII)
    if not found:
        raise InvalidRequest([("cursor", _NOT_OURS)])
    return _EPOCH + int(found[1]) * _MICROSECOND, found[2]


def before_action(log_id: str) -> str:
    """Makes the cursor of the page of actions older than the one with this id."""
    return _pack(f"a:{log_id}")


def read_before_action(cursor: str) -> str:
    """Returns the id in a cursor. Raises InvalidRequest for anything but a cursor made here."""
    text = _unpack("a:", cursor)
    if not is_uuid(text):
        raise InvalidRequest([("cursor", _NOT_OURS)])
    return text


def _pack(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(list_name: str, cursor: str) -> str:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest([("cursor", _NOT_OURS)]) from error
    if not text.startswith(list_name):
        raise InvalidRequest([("cursor", _NOT_OURS)])
    return text.removeprefix(list_name)
