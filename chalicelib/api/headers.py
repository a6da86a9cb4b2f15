"""What every answer tells a browser, whoever made it: a view, Chalice, or a gateway that asks no function.

The table follows OWASP's REST Security Cheat Sheet. X-Frame-Options is not in it: `frame-ancestors` says the
same to every browser that is still in use, and each header costs every answer 0.2 µs of CPU. This module
knows no resource; which other sites may read an answer is `cors.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of an answer that is no page: nothing in it may run, load or be framed."""

EVERY: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": NOTHING,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer, unless the answer says otherwise itself."""

ENCRYPTED: Mapping[str, str] = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
"""Two years; not on the local stage, which speaks plain HTTP: a browser would refuse all of 127.0.0.1."""

REQUEST_ID = "X-Request-Id"
"""What a buyer quotes and an operator finds in the log."""


def every(stage: str) -> dict[str, str]:
    """The headers of every answer of this stage, to be laid under an answer's own."""
    return {**EVERY} if stage == "local" else {**EVERY, **ENCRYPTED}
