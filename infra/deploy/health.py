"""Whether a deployed service is ready, asked at its own address, for a bounded time. Knows no stack."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

from infra.deploy.faults import Fault

_CALL_SECONDS = 30.0
"""API Gateway gives up after 29."""
_PAUSE_SECONDS = 1.0


def address_of(outputs: Mapping[str, str]) -> str:
    """Where the service answers, without a slash at its end. Raises Fault when the stack does not say it."""
    if "EndpointURL" not in outputs:
        raise Fault("The service's stack does not say its address (EndpointURL). Deploy it again.")
    return outputs["EndpointURL"].rstrip("/")


def not_ready(address: str, seconds: float) -> str | None:
    """None once `/ready` at `address` has answered 200; after `seconds` a sentence with the last answer."""
    until = time.monotonic() + seconds
    while True:
        said = _asked(f"{address}/ready")
        if said is None:
            return None
        if time.monotonic() > until:
            return f"The service is not ready after {seconds:.0f} s: {said}."
        time.sleep(_PAUSE_SECONDS)


def _asked(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=_CALL_SECONDS) as answer:  # noqa: S310 - a stack's own output
            return None if answer.status == 200 else f"/ready answers {answer.status}"
    except urllib.error.HTTPError as error:
        return f"/ready answers {error.code}{_detail(error.read())}"
    except (OSError, http.client.HTTPException) as error:
        return f"it does not answer ({error})"


def _detail(body: bytes) -> str:
    """What a problem says of itself; nothing of anything else, which may be long."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    said = (
        found.get("detail") or found.get("message") or found.get("errorMessage")
        if isinstance(found, dict)
        else ""
    )
    return f" ({str(said)[:200]})" if said else ""
