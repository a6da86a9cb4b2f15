"""Says what an answer of AWS means: done, not now, or never. Pure.

Error codes are those of the SQS API reference ("Common Errors" and each action's own), which the other
services of the JSON protocol share, and the
throttling codes of botocore's standard retry mode.
"""

from __future__ import annotations

from typing import Any

import msgspec

THROTTLING = frozenset(
    {
        "KMS.ThrottlingException",
        "KmsThrottled",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_AT_THE_DOOR = THROTTLING | {"ServiceUnavailable", "ServiceUnavailableException"}


class AwsRefused(Exception):
    """AWS said no, and asking again will not help: no right to it, no such thing, no valid request.

    A bug or a bad deployment, so it belongs to none of the families in `errors.py`.
    `code` is AWS's own, without its namespace, such as `QueueDoesNotExist`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class Setback(Exception):
    """One try failed and another may succeed.

    `doubt`: it may have taken effect all the same. `stale`: only the kept connection was at fault.
    """

    def __init__(self, detail: str, *, doubt: bool, stale: bool = False) -> None:
        super().__init__(detail)
        self.doubt = doubt
        self.stale = stale


def verdict(status: int, body: bytes) -> dict[str, Any]:
    """Returns the content of a good answer, HTTP status and body as they came.

    Raises Setback for what a retry may mend, AwsRefused for the rest. A 500, 502 or 504 leaves
    doubt whether the call took effect; throttling and 503 are refusals at the door and leave none.
    """
    if 200 <= status < 300:  # Lambda takes a change with 202
        return _content(body)
    code, detail = _error(body)
    if status == 429 or refused_at_the_door(code):
        raise Setback(f"{status} {code}", doubt=False)
    if status >= 500:
        raise Setback(f"{status} {code}", doubt=status != 503)
    raise AwsRefused(code or str(status), detail)


def refused_at_the_door(code: str) -> bool:
    """True when the AWS error code says that nothing was done: throttled, or not served at all."""
    return code in _AT_THE_DOOR


def _content(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any]) if body else {}
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Setback(f"an answer that is not the service's: {error}", doubt=True) from error


def _error(body: bytes) -> tuple[str, str]:
    """Returns code and message of an error answer; empty when it is in another form (a proxy's page)."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError):
        return "", ""
    code = str(found.get("__type", "")).rpartition("#")[2]
    return code, str(found.get("message") or found.get("Message") or "")
