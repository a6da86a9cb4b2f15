"""Makes the OpenAPI 3.1 document from the operations and the types that they name. Knows no Chalice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from chalicelib.api import problems, quotas
from chalicelib.api.access import ACCESS, Reach
from chalicelib.api.operations import Operation
from chalicelib.api.schemas import BETWEEN_FIELDS
from chalicelib.identity.principal import Role

_REFERENCE = "#/components/schemas/{name}"
_PATH_TYPES: dict[str, dict[str, Any]] = {
    "eventId": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "orderId": {"type": "string", "format": "uuid"},
    "messageId": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
    "file": {"type": "string", "pattern": r"^[a-z-]+\.(js|css)$"},
}
_HEADERS: dict[str, str] = {
    "Location": "Address of what was made",
    "ETag": "Version of what is answered, for If-Match or If-None-Match",
    "Retry-After": "Seconds after which to ask again; absent once the order is decided",
    "RateLimit-Policy": "The limit that this answer is about: whose, requests (q), seconds (w)",
    "RateLimit": "What is left of it: requests (r), and seconds until there is one more (t)",
    "Idempotent-Replayed": "true when the order was made by an earlier request with the same key",
}

_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Of the service's issuer, for the service's audience.",
}
_ANSWERED = {
    200: "As asked",
    201: "Created",
    202: "Taken in; the answer follows at Location",
    304: "The copy is still good",
}
_PROBLEM_HEADERS = {"429": ("Retry-After", *quotas.NAMES), "503": ("Retry-After",)}
_RESOURCES = ("events", "orders", "payments", "ops")


def document(operations: Sequence[Operation], version: str, *, guarded: bool) -> dict[str, Any]:
    """Builds the whole document, ready for JSON. `version` is the contract's.

    `guarded` says whether callers must show who they are; in open mode nobody is asked to.
    """
    queries = {each.query for each in operations if each.query is not None}
    kinds = [kind for each in operations for kind in _kinds(each)]
    _, schemas = msgspec.json.schema_components([*kinds, *queries, problems.Problem], ref_template=_REFERENCE)
    for name, rule in BETWEEN_FIELDS.items():
        schemas[name].update(rule)
    in_query = {query: _in_query(schemas.pop(query.__name__)) for query in queries}
    schemes: dict[str, Mapping[str, Any]] = {"token": _TOKEN}
    for each in operations:
        schemes.update(each.security)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        query = [] if each.query is None else in_query[each.query]
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each, query, guarded=guarded)
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "Onsale",
            "version": version,
            "summary": "Sells an event out and never sells the last ticket twice.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": schemes},
    }
    _speak_ecma(found)
    return found


def _speak_ecma(value: Any) -> None:
    """Rewrites Python's patterns as JSON Schema's: there `$` is the very end, and no text has surrogates."""
    if isinstance(value, dict):
        if isinstance(pattern := value.get("pattern"), str):
            value["pattern"] = pattern.replace(r"(?![\s\S])", "$").replace(r"\ud800-\udfff", "")
        for inner in value.values():
            _speak_ecma(inner)
    elif isinstance(value, list):
        for inner in value:
            _speak_ecma(inner)


def _kinds(each: Operation) -> list[Any]:
    shown = [kind for kind in each.answers.values() if kind is not None and not isinstance(kind, str)]
    return shown if each.body is None else [each.body, *shown]


def _in_query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters that a query's type makes; most may be left out."""
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "schema": kind, **({"required": True} if name in required else {})}
        for name, kind in schema["properties"].items()
    ]


def _described(each: Operation, in_query: list[dict[str, Any]], *, guarded: bool) -> dict[str, Any]:
    resource = each.path.split("/")[1]
    parameters = [
        *(
            {"name": name, "in": "path", "required": True, "schema": _PATH_TYPES[name]}
            for name in each.path_names()
        ),
        *in_query,
        *(
            {"name": name, "in": "header", **(_worded(about) if isinstance(about, str) else about)}
            for name, about in each.headers.items()
        ),
    ]
    found: dict[str, Any] = {
        "operationId": each.id,
        "summary": each.summary.rstrip("."),
        "tags": [resource if resource in _RESOURCES else "service"],
        "parameters": parameters,
        "responses": {**_answers(each), **_problems(each.all_codes())},
    }
    if (allowed := ACCESS[each.id]) is not None:
        found["description"] = f"For {_roles(allowed)}."
        if guarded:
            found["security"] = [{"token": []}]
    if each.security:
        found["security"] = [{name: []} for name in each.security]
    if each.body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(each.body)}},
        }
    return found


def _roles(allowed: Mapping[Role, Reach]) -> str:
    """Every role that may, and how far: "buyer (own), operator"."""
    return ", ".join(f"{role} (own)" if reach is Reach.OWN else role for role, reach in allowed.items())


def _worded(words: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string"}}


def _answers(each: Operation) -> dict[str, Any]:
    answers: dict[str, dict[str, Any]] = {}
    for status, kind in each.answers.items():
        answers[str(status)] = found = {
            "description": _ANSWERED[status],
            "headers": {name: _header(name) for name in each.sends},
        }
        if kind is None:
            continue
        media_type, schema = (
            (kind, {"type": "object" if kind == "application/json" else "string"})
            if isinstance(kind, str)
            else ("application/json", _ref(kind))
        )
        found["content"] = {media_type: {"schema": schema}}
    return answers


def _header(name: str) -> dict[str, Any]:
    return {"description": _HEADERS[name], "schema": {"type": "string"}}


def _problems(codes: Iterable[str]) -> dict[str, Any]:
    """One response a status, with all its codes told apart in words: their bodies have one shape."""
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(problems.status_of(code)), []).append(code)
    content = {problems.MEDIA_TYPE: {"schema": _ref(problems.Problem)}}
    return {
        status: {
            "description": "; ".join(f"`{code}`: {problems.CODES[code][1]}" for code in listed),
            "headers": {name: _header(name) for name in _PROBLEM_HEADERS.get(status, ())},
            "content": content,
        }
        for status, listed in sorted(by_status.items())
    }


def _ref(kind: type[Any]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}
