"""HTTP becomes an API Gateway event and the answer becomes HTTP again; no server runs here."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from chalice.app import Chalice, Response

from infra.local.gateway import BODY_LIMIT_BYTES, Wsgi, gateway

Call = Callable[..., tuple[int, dict[str, str], bytes]]


def tiny_app() -> Any:
    app: Any = Chalice(app_name="tiny")

    @app.route("/echo/{name}", methods=["GET", "POST"], content_types=["application/json", "text/plain"])  # type: ignore[untyped-decorator]
    def echo(name: str) -> dict[str, Any]:
        event: dict[str, Any] = app.current_request.to_original_event()
        return event

    @app.route("/created")  # type: ignore[untyped-decorator]
    def created() -> Any:
        return Response(body="é", headers={"Location": "/x", "Set-Cookie": ["a=1", "b=2"]}, status_code=201)

    return app


def caller(wsgi: Wsgi) -> Call:
    def call(method: str, path: str, body: bytes = b"", query: str = "", **more: Any) -> Any:
        environ = {
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(body),
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            **more,
        }
        seen: list[Any] = []
        answer = b"".join(wsgi(environ, lambda status, headers: seen.extend([status, headers])))
        return int(seen[0].split()[0]), seen[1], answer

    return call


@pytest.fixture
def call() -> Call:
    return caller(gateway(tiny_app()))


def test_what_a_caller_says_of_his_own_address_is_not_his_address(call: Call) -> None:
    said = {"HTTP_X_FORWARDED_FOR": "203.0.113.9", "HTTP_FORWARDED": "for=203.0.113.9"}
    _, _, answer = call("POST", "/echo/x", b"{}", REMOTE_ADDR="192.0.2.7", **said)
    assert json.loads(answer)["requestContext"]["identity"]["sourceIp"] == "192.0.2.7"


def test_the_event_is_a_whole_rest_proxy_event(call: Call) -> None:
    status, _, answer = call("POST", "/echo/ä b", b'{"a": 1}', "x=1&x=2&y=", HTTP_X_TRACE="t")
    event = json.loads(answer)
    assert status == 200
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/echo/{name}"
    assert event["pathParameters"] == {"name": "ä b"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["headers"]["X-Trace"] == "t"
    assert event["multiValueHeaders"]["Host"] == ["127.0.0.1:8000"]
    assert event["stageVariables"] is None
    assert event["requestContext"]["httpMethod"] == event["httpMethod"] == "POST"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)


def test_a_request_without_query_and_body_has_none_of_them(call: Call) -> None:
    event = json.loads(call("GET", "/echo/x")[2])
    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is event["body"] is None


def test_a_body_that_is_not_utf8_travels_as_base64(call: Call) -> None:
    event = json.loads(call("POST", "/echo/x", b"\xff\xfe")[2])
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\xfe"


def test_the_request_id_in_the_event_is_the_one_in_the_answer(call: Call) -> None:
    _, headers, answer = call("GET", "/echo/x")
    assert dict(headers)["x-amzn-RequestId"] == json.loads(answer)["requestContext"]["requestId"]


def test_status_headers_and_repeated_headers_come_back(call: Call) -> None:
    status, headers, answer = call("GET", "/created")
    assert (status, answer) == (201, "é".encode())
    pairs: Any = headers
    assert [value for name, value in pairs if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert ("Location", "/x") in pairs


def test_an_unknown_path_is_a_problem(call: Call) -> None:
    status, headers, answer = call("GET", "/nothing")
    assert (status, json.loads(answer)["code"]) == (404, "route-not-found")
    assert dict(headers)["Content-Type"] == "application/problem+json"


def test_an_unknown_method_is_a_problem_that_says_which_are_allowed(call: Call) -> None:
    status, headers, answer = call("DELETE", "/echo/x")
    assert (status, json.loads(answer)["code"]) == (405, "method-not-allowed")
    assert dict(headers)["Allow"] == "GET, POST"


def test_a_body_over_the_limit_is_refused_before_it_is_read(call: Call) -> None:
    unreadable = object()
    more = {"CONTENT_LENGTH": str(BODY_LIMIT_BYTES + 1), "wsgi.input": unreadable}
    status, _, answer = call("POST", "/echo/x", **more)
    assert (status, json.loads(answer)["code"]) == (413, "payload-too-large")


def test_a_chunked_body_over_the_limit_is_refused(call: Call) -> None:
    body = io.BytesIO(bytes(BODY_LIMIT_BYTES + 1))
    more = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
    assert call("POST", "/echo/x", **more)[0] == 413
