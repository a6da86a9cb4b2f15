"""What every answer says to browsers, whoever made it; and what no answer says to anybody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chalicelib.api.docs import ALL
from chalicelib.api.headers import EVERY, every
from infra.local.gateway import gateway
from tests.api.conftest import REQUEST_ID, Api
from tests.fakes.services import Down, MemoryServices

SAID = {name.lower(): value for name, value in EVERY.items()}
SPECIMEN = {"eventId": "1", "orderId": "0198a5c0-0000-7000-8000-000000000001"}
OWN = {"cache-control", "content-security-policy"}
"""What an answer may say in its own words: pages and assets do."""


def path_of(template: str) -> str:
    for name, value in SPECIMEN.items():
        template = template.replace(f"{{{name}}}", value)
    return template


CALLS = [(each.method, path_of(each.path)) for each in ALL]
ANSWERS = [*CALLS, *(("OPTIONS", path) for path in sorted({path for _, path in CALLS}))]


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_call_says_it(api: Api, method: str, path: str) -> None:
    answer = api(method, path)
    assert set(SAID) <= set(answer.headers)
    for name in set(SAID) - OWN:
        assert answer.headers[name] == SAID[name]
    assert answer.headers["x-request-id"] == REQUEST_ID


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_answer_of_a_broken_service_says_it(
    api: Api, services: MemoryServices, method: str, path: str
) -> None:
    services.gate, services.queue, services.ledger = Down("gate"), Down("queue"), Down("ledger")
    assert set(SAID) <= set(api(method, path).headers)


def test_what_is_no_page_may_do_nothing(api: Api) -> None:
    policy = api("GET", "/events").headers["content-security-policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"


def test_no_policy_allows_anything_inline(api: Api) -> None:
    for method, path in CALLS:
        assert "unsafe" not in api(method, path).headers["content-security-policy"]


def test_only_a_stage_with_tls_asks_for_it_from_then_on() -> None:
    assert "Strict-Transport-Security" not in every("local")
    assert every("prod")["Strict-Transport-Security"].startswith("max-age=63072000")
    services = MemoryServices()
    services.settings = msgspec.structs.replace(services.settings, stage="prod")
    assert Api(services)("GET", "/health").headers["strict-transport-security"].startswith("max-age=63072000")


@pytest.fixture
def front(api: Api) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """The local gateway before the app."""
    wsgi = gateway(api.app)

    def call(method: str, path: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
        environ = {
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            **more,
        }
        seen: list[Any] = []
        body = b"".join(wsgi(environ, lambda status, headers: seen.extend([status, headers])))
        return int(seen[0].split()[0]), {name.lower(): value for name, value in seen[1]}, body

    return call


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("PUT", "/orders", {}, 405),
        ("POST", "/orders", {"CONTENT_LENGTH": "999999999"}, 413),
        ("GET", "/events", {}, 200),
    ],
)
def test_the_gateways_own_answers_say_it_too(
    front: Any, method: str, path: str, more: dict[str, str], status: int
) -> None:
    found, headers, body = front(method, path, **more)
    assert found == status
    assert set(SAID) | {"x-request-id"} <= set(headers)
    assert headers["x-request-id"] == headers["x-amzn-requestid"]
    json.loads(body)


def test_a_method_that_only_chalice_refuses_says_it_too(api: Api) -> None:
    event = api.event("GET", "/orders")
    event["requestContext"]["httpMethod"] = "PUT"
    answer = api.app(event, None)
    assert answer["statusCode"] == 405
    assert set(EVERY) <= set(answer["headers"])


class Exploding:
    """A store that breaks in a way that nobody foresaw, and says what must not be heard outside."""

    def __getattr__(self, name: str) -> Any:
        def explode(*_: object, **__: object) -> None:
            raise RuntimeError(f"psycopg at db-1.internal:5432 in chalicelib.{name}, ann@example.org")

        return explode


INSIDE = (
    "Traceback",
    "RuntimeError",
    "psycopg",
    "internal:",
    "chalicelib",
    ".py",
    "ann@",
    "secret-host",
    "refused the",
)


@pytest.mark.parametrize("part", ["gate", "queue", "ledger"])
@pytest.mark.parametrize("failure", [Exploding, Down])
def test_no_answer_names_our_insides(
    api: Api, services: MemoryServices, event_id: int, part: str, failure: Any
) -> None:
    setattr(services, part, failure() if failure is Exploding else failure(part))
    body = {"eventId": event_id, "quantity": 1, "userId": "u"}
    answers = [
        api(method, path, body if path == "/orders" and method == "POST" else None) for method, path in CALLS
    ]
    broken = [answer for answer in answers if answer.status >= 500]
    assert broken
    for answer in broken:
        assert answer.headers["content-type"] == "application/problem+json"
        assert not [word for word in INSIDE if word in answer.text]
