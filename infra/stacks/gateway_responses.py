"""What API Gateway says by itself, when no function is asked: problem+json with the service's own codes.

Texts, statuses and headers come from the service, so that a caller cannot tell who said no. Knows no template
but the property `GatewayResponses`.
"""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.api import headers, problems


class Refusal(NamedTuple):
    """One of the service's problems. `retry_after_seconds` is None where asking again would not help."""

    code: str
    detail: str
    retry_after_seconds: int | None = None


_NO_ROUTE = Refusal("route-not-found", "Nothing answers this method and path; see /openapi.json.")
_TOO_MANY = Refusal("rate-limited", "More is asked than is let in; try again shortly.", 1)
_ONE_ADDRESS = Refusal("rate-limited", "This address asks too much; try again in some minutes.", 300)
_NOT_NOW = Refusal("unavailable", "The service did not answer in time; try again shortly.", 1)
_UNREADABLE = Refusal("malformed-body", "The request cannot be read.")

REFUSALS: dict[str, Refusal] = {
    # API Gateway's words for a path that is not there: it looks for a signature where it finds no route, and
    # takes a bearer token for a bad one. No route of ours wants to be signed.
    "MISSING_AUTHENTICATION_TOKEN": _NO_ROUTE,
    "INVALID_SIGNATURE": _NO_ROUTE,
    "EXPIRED_TOKEN": _NO_ROUTE,
    "RESOURCE_NOT_FOUND": _NO_ROUTE,
    "DEFAULT_4XX": _NO_ROUTE,
    "THROTTLED": _TOO_MANY,
    "QUOTA_EXCEEDED": _TOO_MANY,
    "WAF_FILTERED": _ONE_ADDRESS,  # the firewall's only rule
    "REQUEST_TOO_LARGE": Refusal("payload-too-large", "The body has more than 10 MB."),
    "BAD_REQUEST_BODY": _UNREADABLE,
    "BAD_REQUEST_PARAMETERS": _UNREADABLE,
    "UNSUPPORTED_MEDIA_TYPE": Refusal("unsupported-media-type", "Send application/json."),
    "UNAUTHORIZED": Refusal("unauthenticated", "Send a bearer token in the header Authorization."),
    "ACCESS_DENIED": Refusal("forbidden", "This may not be asked from where you are."),
    "INVALID_API_KEY": Refusal("forbidden", "The service knows no API keys."),
    "INTEGRATION_FAILURE": _NOT_NOW,
    "INTEGRATION_TIMEOUT": _NOT_NOW,
    "AUTHORIZER_FAILURE": _NOT_NOW,
    "AUTHORIZER_CONFIGURATION_ERROR": _NOT_NOW,
    "API_CONFIGURATION_ERROR": _NOT_NOW,
    "DEFAULT_5XX": _NOT_NOW,
}
"""By API Gateway's response type: every one there is."""


def gateway_responses(stage: str) -> dict[str, object]:
    """The property `GatewayResponses` of the API; `stage` is `local` where the API speaks plain HTTP."""
    return {kind: _response(refusal, stage) for kind, refusal in REFUSALS.items()}


def _response(refusal: Refusal, stage: str) -> dict[str, object]:
    said = {**headers.every(stage), "Content-Type": problems.MEDIA_TYPE}
    if refusal.retry_after_seconds is not None:
        said["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.code in problems.CHALLENGES:
        said["WWW-Authenticate"] = problems.CHALLENGES[refusal.code]
    # A mapping in quotes is a text, and there is no way to write a quote in one: our policy for pages (which
    # this is not) has to stay away. A mapping without quotes names what is known about the request.
    quoted = {name: f"'{text}'" for name, text in said.items() if "'" not in text}
    return {
        "StatusCode": problems.status_of(refusal.code),
        "ResponseParameters": {"Headers": {**quoted, headers.REQUEST_ID: "context.requestId"}},
        "ResponseTemplates": {"application/json": problems.body(refusal.code, refusal.detail)},
    }
