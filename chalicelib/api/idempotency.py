"""The header Idempotency-Key (IETF draft-07): how it is read, and what the document says of it. Pure."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.errors import InvalidRequest
from chalicelib.gate.keys import KEY_LIFE_SECONDS

HEADER = "Idempotency-Key"
MAX_LENGTH = 255

_FORM = re.compile(rf"[!-~]{{1,{MAX_LENGTH}}}")
_RULE = f"must be 1 to {MAX_LENGTH} visible ASCII characters"

PARAMETER: dict[str, Any] = {
    "description": (
        "A name of the buyer's own choosing for this order. The same key with the same body is the same "
        "order and the same answer; with another body it is refused. A key belongs to its buyer (`userId`) "
        f"and lives {KEY_LIFE_SECONDS // 3600} hours. Quotes around it are optional."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH + 2, "pattern": "^[!-~]+$"},
    "x-lifetime-seconds": KEY_LIFE_SECONDS,
}
"""The parameter object of the OpenAPI document."""


def key_of(header: str | None) -> str | None:
    """Reads the header's value, with or without quotes; None when there was no header.

    Raises InvalidRequest when there was one and it holds no key.
    """
    if header is None:
        return None
    text = header.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _FORM.fullmatch(text):
        raise InvalidRequest([(HEADER, _RULE)])
    return text
