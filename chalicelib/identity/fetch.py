"""Brings the issuer's JWKS document over HTTPS. It must not know what is in it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from chalicelib.errors import Unavailable

TIMEOUT_SECONDS = 2.0
LONGEST_BYTES = 64 * 1024
"""Two hundred RSA keys."""


def fetch(url: str) -> bytes:
    """GETs the document; follows no redirect. Raises Unavailable("identity") for all but a 200."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            where = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", where, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read(LONGEST_BYTES + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("identity", f"the JWKS document: {type(error).__name__}") from error
    if response.status != http.HTTPStatus.OK or len(body) > LONGEST_BYTES:
        raise Unavailable("identity", f"the JWKS document: status {response.status}, {len(body)} bytes")
    return body
