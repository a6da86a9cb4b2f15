"""The document and the routes are one set, the document is valid, and the page needs no internet."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from chalice.app import Chalice
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.api import routes
from chalicelib.api.docs import ALL, contract
from chalicelib.api.idempotency import MAX_LENGTH
from chalicelib.api.problems import CODES
from chalicelib.gate.keys import KEY_LIFE_SECONDS
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices

GATEWAY_CODES = {"route-not-found", "method-not-allowed"}


def operations(document: Any) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): described
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }


def test_the_document_and_the_routes_are_one_set(api: Api) -> None:
    served = {(method, path) for path, methods in api.app.routes.items() for method in methods}
    preflights = {("OPTIONS", path) for path in api.app.routes}
    assert set(operations(api("GET", "/openapi.json").json)) == served - preflights
    assert preflights <= served


def test_the_document_is_valid_openapi(api: Api) -> None:
    document = api("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_operation_ids_are_unique(api: Api) -> None:
    ids = [each["operationId"] for each in operations(contract()).values()]
    assert len(ids) == len(set(ids))
    assert {"createEvent", "placeOrder", "getOrder", "listOrders"} <= set(ids)


def test_every_problem_code_belongs_to_some_call(api: Api) -> None:
    assert {code for each in ALL for code in each.all_codes()} == set(CODES) - GATEWAY_CODES


def test_every_problem_of_a_call_is_described_with_its_code(api: Api) -> None:
    described = operations(contract())["POST", "/orders"]["responses"]
    assert set(described) == {
        "202",
        "400",
        "401",
        "403",
        "404",
        "409",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }
    assert "`sold-out`" in described["409"]["description"]
    assert list(described["409"]["content"]) == ["application/problem+json"]
    limits = {"Retry-After", "RateLimit-Policy", "RateLimit"}
    assert set(described["202"]["headers"]) == {"Location", "Idempotent-Replayed", *limits}
    assert set(described["429"]["headers"]) == limits


def test_parameters_are_described_where_they_are_given(api: Api) -> None:
    found = {
        (each["in"], each["name"])
        for described in operations(contract()).values()
        for each in described["parameters"]
    }
    assert found == {
        ("path", "eventId"),
        ("path", "orderId"),
        ("path", "messageId"),
        ("path", "file"),
        ("query", "cursor"),
        ("query", "limit"),
        ("query", "eventId"),
        ("query", "userId"),
        ("query", "status"),
        ("query", "state"),
        ("query", "q"),
        ("query", "startsAt"),
        ("query", "endsAt"),
        ("query", "reason"),
        ("query", "seconds"),
        ("header", "If-Match"),
        ("header", "If-None-Match"),
        ("header", "Idempotency-Key"),
    }


def test_the_document_says_how_long_a_key_lives(api: Api) -> None:
    document = api("GET", "/openapi.json").json
    (header,) = (
        each
        for each in operations(document)["POST", "/orders"]["parameters"]
        if each["name"] == "Idempotency-Key"
    )
    assert header["x-lifetime-seconds"] == KEY_LIFE_SECONDS == 24 * 3600
    assert "24 hours" in header["description"]
    assert header["schema"]["maxLength"] == MAX_LENGTH + len('""')


def test_the_document_says_how_a_payment_is_signed(api: Api) -> None:
    document = api("GET", "/openapi.json").json
    described = operations(document)["POST", "/payments/events"]
    assert described["security"] == [{"signature": []}]
    scheme = document["components"]["securitySchemes"]["signature"]
    assert (scheme["in"], scheme["name"]) == ("header", "Onsale-Signature")
    assert "HMAC-SHA256" in scheme["description"]
    assert "`invalid-signature`" in described["responses"]["401"]["description"]


@pytest.mark.parametrize("guarded", [False, True])
def test_tokens_are_asked_for_only_where_they_are(guarded: bool) -> None:
    asked = {key: each.get("security") for key, each in operations(contract(guarded=guarded)).items()}
    assert asked["POST", "/orders"] == ([{"token": []}] if guarded else None)
    assert asked["GET", "/events"] is None
    assert "buyer (own)" in operations(contract(guarded=guarded))["GET", "/orders"]["description"]


def test_the_document_states_the_bounds_that_are_enforced(api: Api) -> None:
    order = msgspec.json.decode(msgspec.json.encode(contract()))["components"]["schemas"]["NewOrder"]
    assert order["additionalProperties"] is False
    assert order["properties"]["quantity"] == {"type": "integer", "minimum": 1, "maximum": 1_000_000}
    assert order["required"] == ["eventId"]


def test_the_page_loads_only_what_is_served_here(api: Api) -> None:
    page = api("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert "docs/swagger-ui-bundle.js" in assets
    for asset in assets:
        assert asset == "data:," or api("GET", f"/{asset}").status == 200
    assert "http" not in page.text


def test_the_page_runs_no_inline_script(api: Api) -> None:
    page = api("GET", "/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert "<script>" not in page.text
    assert "<style" not in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize(
    ("path", "media_type", "at_least"),
    [
        ("/docs/swagger-ui-bundle.js", "text/javascript", 1_000_000),
        ("/docs/swagger-ui.css", "text/css", 100_000),
        ("/docs/page.css", "text/css", 10),
        ("/docs/init.js", "text/javascript", 10),
    ],
)
def test_assets_are_text_that_may_be_kept(api: Api, path: str, media_type: str, at_least: int) -> None:
    asset = api("GET", path)
    assert asset.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert "max-age=" in asset.headers["cache-control"]
    assert at_least < len(asset.text.encode()) < 6_000_000


def test_assets_pass_a_caller_who_accepts_only_their_type(services: MemoryServices) -> None:
    answer = Api(services)("GET", "/docs/swagger-ui.css", Accept="text/css,*/*;q=0.1")
    assert answer.status == 200


def test_mounting_connects_to_nothing() -> None:
    app = Chalice("onsale", configure_logs=False, env={})
    app.register_blueprint(routes(MemoryServices()))
    assert "/orders" in app.routes
