"""Answers CloudFormation, which asked a function to make, change or delete a resource of a kind of its own.

The answer goes to an address that is in the request and is good for that one ("Custom resource response
objects" in the CloudFormation User Guide). Must not know what the resource is.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.settings import is_safe

TIMEOUT_SECONDS = 5.0
TRIES = 3
REASON_LENGTH = 1_000
"""An answer may have 4,096 bytes, says the guide."""


def answer(
    request: Mapping[str, Any], physical_id: str, data: Mapping[str, str], failure: str | None = None
) -> None:
    """Says that it is done, or why not: `failure` is a sentence for the stack's events.

    `physical_id` names the resource: another name than before makes CloudFormation delete the former one.
    `data` is what a template may ask of the resource. Raises ValueError for an address where others could
    listen, and Unavailable when it does not take the answer; the stack then fails when its time is over.
    """
    url = str(request["ResponseURL"])
    if not is_safe(url):
        raise ValueError("CloudFormation's address for the answer is neither https nor this machine's")
    body = msgspec.json.encode(
        {
            "Status": "SUCCESS" if failure is None else "FAILED",
            "Reason": (failure or "")[:REASON_LENGTH],
            "PhysicalResourceId": physical_id,
            "StackId": request["StackId"],
            "RequestId": request["RequestId"],
            "LogicalResourceId": request["LogicalResourceId"],
            "Data": data,
        }
    )
    said = ""
    for _ in range(TRIES):
        try:
            status = _put(url, body)
        except (OSError, http.client.HTTPException) as error:
            said = type(error).__name__
            continue
        if status == http.HTTPStatus.OK:
            return
        said = f"status {status}"
    raise Unavailable("cloudformation", f"the answer was not taken: {said}")


def _put(url: str, body: bytes) -> int:
    """PUTs it and returns the status. Without a content type: the address is signed for none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("PUT", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path, body)
        with connection.getresponse() as response:
            return response.status
    finally:
        connection.close()
