"""Which other sites' pages may read our answers: those on the list, and nobody else. Knows no resource.

Chalice could do it (`cors=CORSConfig(...)`), for one origin: it would have API Gateway answer OPTIONS with
a fixed header. The list may have several, so that the routes for OPTIONS are our own (decision 0015).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.api.headers import REQUEST_ID
from chalicelib.settings import Settings

SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match")
"""What a page may send. The payment provider's signature is not among them: no page has the secret."""
SHOWN = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    REQUEST_ID,
)
"""What a page may read beside the body."""
KEPT_SECONDS = 7200
"""How long a browser may remember a preflight; Chromium keeps none longer (its `kMaxTimeout`)."""
ANYBODY = "*"

_ORIGIN = re.compile(r"(https?)://[a-z0-9.-]+(:[0-9]{1,5})?")


class Origins:
    """The allow-list, and the headers that follow from it."""

    def __init__(self, settings: Settings) -> None:
        """Reads CORS_ORIGINS, as in "https://shop.example,https://box-office.example".

        Raises ValueError for what is no origin, and off the local stage for `*` and for plain HTTP: a page
        that anybody on the way can change must not speak for a buyer.
        """
        listed = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
        for origin in listed:
            _check(origin, local=settings.stage == "local")
        self.varies = {"Vary": "Origin"} if listed else {}
        """On every answer, asked for by a page or not: a cache must keep them apart."""
        self._anybody = ANYBODY in listed
        self._readable = {origin: _readable(origin) for origin in listed}

    def readable(self, origin: str | None) -> Mapping[str, str]:
        """What lets a page of `origin` read an answer; nothing for a stranger or no page at all."""
        if origin is None:
            return {}
        return self._readable.get(ANYBODY if self._anybody else origin, {})

    def preflight(self, origin: str | None, methods: Iterable[str]) -> dict[str, str]:
        """The headers of an answer to OPTIONS for a path that takes `methods`."""
        allowed = ", ".join(sorted({*methods, "OPTIONS"}))
        if not self.readable(origin):
            return {"Allow": allowed}
        return {
            "Allow": allowed,
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": ", ".join(SENT),
            "Access-Control-Max-Age": str(KEPT_SECONDS),
        }


def _readable(origin: str) -> dict[str, str]:
    # No Allow-Credentials: a token is sent by a page on purpose, and there are no cookies.
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(SHOWN),
    }


def _check(origin: str, *, local: bool) -> None:
    if origin == ANYBODY:
        if not local:
            raise ValueError("environment: CORS_ORIGINS may be * on the local stage only")
        return
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        raise ValueError(
            f"environment: CORS_ORIGINS has {origin!r}, which is no origin (https://host[:port])"
        )
    if found[1] == "http" and not local:
        raise ValueError(f"environment: CORS_ORIGINS has {origin!r}; only https may be off the local stage")
