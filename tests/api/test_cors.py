"""Pages of other sites: those on the list may read answers, and nobody else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.api.cors import KEPT_SECONDS, Origins
from chalicelib.api.docs import ALL
from chalicelib.settings import Settings
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices

SHOP, OFFICE, STRANGER = "https://shop.example", "https://box-office.example:8443", "https://evil.example"
PATHS = sorted({each.path.replace("{eventId}", "1").replace("{orderId}", "x") for each in ALL})
GRANTS = {"access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"}


def api_for(origins: str) -> Api:
    services = MemoryServices()
    services.settings = msgspec.structs.replace(services.settings, cors_origins=origins)
    return Api(services)


@pytest.fixture
def listed() -> Api:
    return api_for(f"{SHOP}, {OFFICE}")


@pytest.mark.parametrize("origin", [SHOP, OFFICE])
@pytest.mark.parametrize("path", PATHS)
def test_a_listed_page_is_told_what_it_may_send(listed: Api, path: str, origin: str) -> None:
    answer = listed("OPTIONS", path, Origin=origin, Access_Control_Request_Method="GET")
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-max-age"] == str(KEPT_SECONDS)
    assert answer.headers["vary"] == "Origin"
    methods = set(answer.headers["access-control-allow-methods"].split(", "))
    assert methods == set(listed.app.routes[listed._resource(path)[0]])


def test_every_header_of_the_contract_may_be_sent_but_the_providers(listed: Api) -> None:
    answer = listed("OPTIONS", "/orders", Origin=SHOP)
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert allowed >= {name for each in ALL for name in each.headers} - {"Onsale-Signature"}
    assert allowed >= {"Authorization", "Content-Type"}
    assert "Onsale-Signature" not in allowed


def test_every_header_that_the_contract_sends_may_be_read(listed: Api) -> None:
    answer = listed("GET", "/events", Origin=SHOP)
    assert answer.headers["access-control-allow-origin"] == SHOP
    shown = set(answer.headers["access-control-expose-headers"].split(", "))
    assert shown >= {name for each in ALL for name in each.sends} | {"X-Request-Id", "Retry-After"}
    assert shown >= {"RateLimit", "RateLimit-Policy"}


def test_a_refusal_may_be_read_too(listed: Api) -> None:
    answer = listed("GET", "/events/7", Origin=SHOP)
    assert answer.problem == (404, "event-not-found")
    assert answer.headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    "origin", [STRANGER, "null", SHOP.upper(), SHOP + ".evil.example", SHOP + ":444", "*", ""]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_stranger_is_granted_nothing(listed: Api, method: str, origin: str) -> None:
    answer = listed(method, "/events", Origin=origin)
    assert not GRANTS & set(answer.headers)
    assert answer.headers["vary"] == "Origin"  # a cache must not show him what the shop was told


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_without_a_list_nobody_is_granted_anything(api: Api, method: str) -> None:
    answer = api(method, "/events", Origin=SHOP)
    assert not {name for name in answer.headers if name.startswith("access-control")}
    assert "vary" not in answer.headers


def test_nobody_is_ever_trusted_with_cookies(listed: Api) -> None:
    for method in ("GET", "OPTIONS"):
        assert "access-control-allow-credentials" not in listed(method, "/events", Origin=SHOP).headers


def test_on_the_local_stage_everybody_may_be_let_in() -> None:
    answer = api_for("*")("GET", "/events", Origin=STRANGER)
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("stage", "origins"),
    [
        ("prod", "*"),
        ("prod", f"{SHOP},*"),
        ("prod", "http://shop.example"),
        ("prod", f"{SHOP}/"),
        ("prod", "https://*.example"),
        ("prod", "https://Shop.example"),
        ("prod", "null"),
        ("local", "shop.example"),
        ("local", "file://"),
    ],
)
def test_a_list_that_lets_too_many_in_does_not_start(stage: str, origins: str) -> None:
    with pytest.raises(ValueError, match="CORS_ORIGINS"):
        Origins(Settings(stage=stage, cors_origins=origins))


def test_options_without_an_origin_says_what_the_path_takes(api: Api) -> None:
    answer: Any = api("OPTIONS", "/orders")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, OPTIONS, POST")
