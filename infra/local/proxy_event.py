"""Builds the event that API Gateway (REST, proxy integration) hands to a function, from a WSGI environment.

Every field that AWS documents for this event is there, so that a handler cannot tell the difference.
This module answers nothing and calls nobody.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

from infra.local.routing import Resource

ACCOUNT_ID = "000000000000"
API_ID = "local"
STAGE = "local"

_header_names: dict[str, str] = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
_second_and_text: tuple[int, str] = (0, "")


def build(  # noqa: PLR0913, PLR0917 - the parts of one request
    environ: Mapping[str, Any],
    path: str,
    resource: Resource,
    parameters: dict[str, str] | None,
    body: bytes,
    request_id: str,
    binary_types: Collection[str] = (),
) -> dict[str, Any]:
    """The event of one request. `path` is decoded text; `body` is passed on as base64 when it is no UTF-8.

    `binary_types` are the content types that the API declares binary: their bodies are base64 too.
    """
    headers = _headers(environ)
    query = _query(environ["QUERY_STRING"])
    text, encoded = _text(body, headers.get("Content-Type", ""), binary_types)
    return {
        "resource": resource.template,
        "path": path,
        "httpMethod": environ["REQUEST_METHOD"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": _context(environ, path, resource, headers, request_id),
        "body": text,
        "isBase64Encoded": encoded,
    }


def _context(
    environ: Mapping[str, Any], path: str, resource: Resource, headers: dict[str, str], request_id: str
) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "stage": STAGE,
        "protocol": environ["SERVER_PROTOCOL"],
        "resourceId": resource.template,
        "resourcePath": resource.template,
        "httpMethod": environ["REQUEST_METHOD"],
        "path": path,  # as behind a custom domain: the stage is not part of the address
        "domainName": headers.get("Host", ""),
        "requestId": request_id,
        "extendedRequestId": request_id,
        "requestTime": _request_time(int(now)),
        "requestTimeEpoch": int(now * 1000),
        "identity": {
            "sourceIp": environ["REMOTE_ADDR"],
            "userAgent": headers.get("User-Agent"),
            "accessKey": None,
            "accountId": None,
            "apiKey": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "user": None,
            "userArn": None,
        },
    }


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    for key, value in environ.items():
        if key.startswith("HTTP_") or key in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            headers[_header_names.get(key) or _header_name(key)] = value
    return headers


def _header_name(key: str) -> str:
    name = key[5:].replace("_", "-").title()
    if len(_header_names) < 1_000:  # a caller may invent as many names as he likes
        _header_names[key] = name
    return name


def _query(query: str) -> dict[str, list[str]] | None:
    if not query:
        return None
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        found.setdefault(name, []).append(value)
    return found or None


def _text(body: bytes, content_type: str, binary_types: Collection[str]) -> tuple[str | None, bool]:
    if not body:
        return None, False
    if content_type.partition(";")[0].strip().lower() not in binary_types:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


def _request_time(second: int) -> str:
    global _second_and_text  # noqa: PLW0603 - formatting it anew costs 3 µs a request
    known, text = _second_and_text
    if known != second:
        text = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
        _second_and_text = (second, text)
    return text
