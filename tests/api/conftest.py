"""A service in memory behind a real Chalice app, and a caller that speaks API Gateway's events."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest
from chalice.app import Chalice

from chalicelib.api import routes
from chalicelib.payments import sign
from tests.fakes.services import MemoryServices

REQUEST_ID = "5e8a2f0e-1f3c-4b6e-9d51-2f4c9a3b7d10"


@dataclass
class Answer:
    """What came back. `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return msgspec.json.decode(self.text)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and code of a problem document, whose shape is checked on the way."""
        body = self.json
        assert self.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= set(body)
        assert body["status"] == self.status
        assert body["type"] == f"urn:onsale:problem:{body['code']}"
        return self.status, body["code"]

    @property
    def fields(self) -> list[str]:
        """Names of the fields that a 422 complains of."""
        assert self.problem == (422, "invalid-request")
        assert all(error["message"] for error in self.json["errors"])
        return [error["field"] for error in self.json["errors"]]


class Api:
    """Calls the app as API Gateway does. Bodies: bytes and text go as they are, all else as JSON."""

    def __init__(self, services: MemoryServices, stage: str = "") -> None:
        """`stage` is the prefix that API Gateway adds to the path, like "/api"."""
        self.app = Chalice("onsale", configure_logs=False, env={})
        self.app.register_blueprint(routes(services))
        self._stage = stage
        self.address: str | None = "127.0.0.1"
        """Where requests come from, as API Gateway sees it."""

    def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Sends one request; header names have underscores for hyphens."""
        answer = self.app(self.event(method, url, body, **headers), None)
        names = {name.lower(): value for name, value in answer["headers"].items()}
        assert isinstance(answer["body"], str)
        return Answer(answer["statusCode"], names, answer["body"])

    def event(self, method: str, url: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Builds the proxy event of a REST API."""
        parts = urlsplit(url)
        resource, captured = self._resource(parts.path)
        query = parse_qs(parts.query, keep_blank_values=True) or None
        text, encoded = _transported(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            names.setdefault("Content-Type", "application/json")
        return {
            "resource": resource,
            "path": parts.path,
            "httpMethod": method,
            "headers": names or None,
            "multiValueHeaders": {name: [value] for name, value in names.items()},
            "queryStringParameters": query and {name: values[-1] for name, values in query.items()},
            "multiValueQueryStringParameters": query,
            "pathParameters": captured or None,
            "stageVariables": None,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": resource,
                "path": self._stage + parts.path,
                "requestId": REQUEST_ID,
                "identity": {"sourceIp": self.address},
            },
            "body": text,
            "isBase64Encoded": encoded,
        }

    def _resource(self, path: str) -> tuple[str, dict[str, str]]:
        steps = path.split("/")
        for resource in sorted(self.app.routes, key=lambda route: "{" in route):
            names = resource.split("/")
            if len(names) == len(steps) and all(
                n in (s, n if "{" in n else s) for n, s in zip(names, steps, strict=True)
            ):
                return resource, {n[1:-1]: unquote(s) for n, s in zip(names, steps, strict=True) if "{" in n}
        raise LookupError(path)

    def pay(self, services: MemoryServices, notice: Any, at: datetime | None = None) -> Answer:
        """Brings a payment as the provider does, signed at `at` (by default: now)."""
        raw = notice if isinstance(notice, bytes) else msgspec.json.encode(notice)
        moment = services.clock() if at is None else at
        signature = sign(services.settings.payment_secret, int(moment.timestamp()), raw)
        return self("POST", "/payments/events", raw, Onsale_Signature=signature)


def _transported(body: Any) -> tuple[str | None, bool]:
    """What API Gateway makes of a body: text, or base64 of what is not UTF-8."""
    if body is None or isinstance(body, str):
        return body, False
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True


@pytest.fixture
def services() -> MemoryServices:
    """An empty service."""
    return MemoryServices()


@pytest.fixture
def api(services: MemoryServices) -> Api:
    """A caller of `services`."""
    return Api(services)


@pytest.fixture
def event_id(api: Api) -> int:
    """An event with ten tickets of one type, as a client of the short form makes it."""
    made = api("POST", "/events", {"name": "x", "description": "d", "totalTickets": 10})
    assert made.status == 201
    return int(made.json["id"])
