"""What a caller is told when the answer is no: RFC 9457 problem details.

The one place that knows which HTTP status a code has. Errors know codes; nothing else here knows
a rule, a store or a route. A problem's body depends on code and detail alone, so that a refusal
said ten thousand times is built once; the request's id travels in the header X-Request-Id.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus

import msgspec
from chalice.app import HeadersType, Response

from chalicelib.api.quotas import quota_headers
from chalicelib.errors import InvalidRequest, OnsaleError, Rejected, Undecided
from chalicelib.model import Quota

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "1"
CHALLENGES = {"invalid-signature": "Onsale-Signature", "unauthenticated": 'Bearer realm="onsale"'}
"""The scheme that a 401 asks for, by problem code; RFC 9110 wants every 401 to name one."""

CODES: dict[str, tuple[int, str]] = {
    "invalid-request": (422, "The request breaks a rule"),
    "malformed-body": (400, "The body is not JSON"),
    "payload-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "route-not-found": (404, "There is nothing at this path"),
    "method-not-allowed": (405, "This path does not take this method"),
    "file-not-found": (404, "The console has no such file"),
    "event-not-found": (404, "There is no such event"),
    "order-not-found": (404, "There is no such order"),
    "dead-letter-not-found": (404, "No such message has failed"),
    "ticket-type-not-found": (404, "The event has no such ticket type"),
    "sold-out": (409, "Sold out"),
    "not-enough-tickets": (409, "Not that many tickets are left"),
    "sale-not-open": (409, "The sale has not opened yet"),
    "sale-closed": (409, "The sale is over"),
    "sale-paused": (409, "The sale is paused"),
    "order-limit-exceeded": (409, "Too many tickets for one order"),
    "buyer-limit-exceeded": (409, "Too many tickets for one buyer"),
    "idempotency-key-reused": (422, "The key was used for another request"),
    "precondition-failed": (412, "Somebody else changed it first"),
    "precondition-required": (428, "If-Match is needed"),
    "order-not-cancellable": (409, "The order cannot be cancelled any more"),
    "fulfilment-not-switchable": (409, "Fulfilment cannot be paused here"),
    "invalid-signature": (401, "The notice is not signed as it must be"),
    "unauthenticated": (401, "Who are you?"),
    "forbidden": (403, "Not for you"),
    "rate-limited": (429, "Too many requests"),
    "unavailable": (503, "Not now"),
    "internal-error": (500, "Something went wrong on our side"),
}
"""Problem code -> HTTP status and title."""

_NOT_NOW = "A part of the service does not answer at the moment; try again shortly."
_BROKEN = "The request could not be handled. The failure is logged under the id in X-Request-Id."


class FieldError(msgspec.Struct, frozen=True):
    """One broken rule. `field` is named as in the JSON body (`items[0].quantity`) or the query."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    parts: dict[str, str] = {}


def status_of(code: str) -> int:
    """Returns the HTTP status of a problem code. Raises KeyError for a code that is not in the table."""
    return CODES[code][0]


def problem(
    code: str, detail: str, errors: Sequence[tuple[str, str]] = (), parts: dict[str, str] | None = None
) -> Problem:
    """Builds the problem for a `code` of the table.

    `errors` are (field, message) pairs; `parts` maps a part of the service to "ok" or "down".
    """
    status, title = CODES[code]
    return Problem(
        type=f"urn:onsale:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=[FieldError(field, message) for field, message in errors],
        parts=parts or {},
    )


def body(code: str, detail: str, errors: Sequence[tuple[str, str]] = ()) -> str:
    """Returns the problem as JSON text, ready to be sent with MEDIA_TYPE and `status_of(code)`."""
    return msgspec.json.encode(problem(code, detail, errors)).decode()


_plain_body = lru_cache(maxsize=256)(body)


def response(error: OnsaleError) -> Response:
    """Turns a failure of a known family into its answer: Rejected by its code, all others into 503."""
    if not isinstance(error, Rejected):
        headers: HeadersType = {"Content-Type": MEDIA_TYPE, "Retry-After": RETRY_AFTER_SECONDS}
        told = error.detail if isinstance(error, Undecided) else _NOT_NOW
        return Response(_plain_body("unavailable", told), headers, 503)
    if isinstance(error, InvalidRequest):
        text = body(error.code, error.detail, error.errors)
    else:
        text = _plain_body(error.code, error.detail)
    status, _ = CODES[error.code]
    headers = {"Content-Type": MEDIA_TYPE}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGES[error.code]
    if isinstance(quota := error.data.get("quota"), Quota):
        headers |= {"Retry-After": str(quota.wait_seconds), **quota_headers(quota)}
    return Response(text, headers, status)


def internal_error() -> Response:
    """The answer to a bug: it tells the caller nothing about our insides."""
    return Response(_plain_body("internal-error", _BROKEN), {"Content-Type": MEDIA_TYPE}, 500)
