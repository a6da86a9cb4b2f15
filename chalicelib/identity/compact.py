"""Takes a token apart and checks its signature: JWS compact serialization, RFC 7515, sections 3.1 and 5.2.

The cryptography is PyJWT's. Its decoder is not used: it looks at every character in Python, which is two
thirds of what a verification costs (docs/decisions/0012). It must not know what a claim means.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.identity.keys import Keys

_parts_of = re.compile("([A-Za-z0-9_-]+)[.]([A-Za-z0-9_-]+)[.]([A-Za-z0-9_-]+)").fullmatch


class _Header(msgspec.Struct):
    """What of the header is looked at; `crit` names rules that nobody here knows."""

    alg: str
    kid: str | None = None
    crit: msgspec.Raw | UnsetType = UNSET


_header = msgspec.json.Decoder(_Header).decode
_claims = msgspec.json.Decoder(dict[str, Any]).decode


class NotSigned(ValueError):
    """The text is no token, or none that one of the keys has signed."""


def claims_in(token: str, keys: Keys, now: float) -> dict[str, Any]:
    """Returns the claims of a token that one of `keys` has signed by the key's own algorithm.

    `now` is seconds since 1970, for the keys. Raises NotSigned, or Unavailable without any keys.
    """
    parts = _parts_of(token)
    if parts is None:
        raise NotSigned("three parts of base64url, with dots between")
    head, body, signature = parts.groups()
    try:
        header = _header(_bytes(head))
        key = keys.key(header.kid, now)
        if key is None or header.alg != key.algorithm or header.crit is not UNSET:
            raise NotSigned("no key of ours by that name and for that algorithm")
        if not key.has_signed(f"{head}.{body}".encode(), _bytes(signature)):
            raise NotSigned("another signature")
        return _claims(_bytes(body))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotSigned(type(error).__name__) from error


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
