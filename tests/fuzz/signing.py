"""Signs what schemathesis brings as the payment provider; otherwise no notice would get past its door.

Loaded by schemathesis (SCHEMATHESIS_HOOKS); the secret is in PAYMENT_SECRET.
"""

from __future__ import annotations

import os
import time
from typing import Any

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase

from chalicelib.payments import SIGNATURE_HEADER, sign


class Provider(AuthBase):
    """Signs each request's body as it is sent."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Adds the header."""
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        if isinstance(raw, bytes):
            request.headers[SIGNATURE_HEADER] = sign(os.environ["PAYMENT_SECRET"], int(time.time()), raw)
        return request


_auth: Any = schemathesis.auth  # its own types leave this method out
_auth.set_from_requests(Provider()).apply_to(path="/payments/events")
