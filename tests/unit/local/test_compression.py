"""Long answers are compressed for whoever takes it, from the same size on as on AWS."""

from __future__ import annotations

import gzip
import json
from typing import Any

from infra.local import compression
from infra.local.compression import LEAST_BYTES, compressed
from infra.local.gateway import gateway
from infra.local.layout import CHECKOUT
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices

LONG = b"tickets " * 1_000


def test_the_threshold_is_the_one_that_is_deployed() -> None:
    deployed = json.loads((CHECKOUT / ".chalice/config.json").read_text())
    assert deployed["minimum_compression_size"] == LEAST_BYTES


def test_a_long_answer_is_shorter_for_who_takes_gzip() -> None:
    headers: list[tuple[str, str]] = []
    body = compressed(headers, LONG, "gzip, deflate, br")
    assert gzip.decompress(body) == LONG
    assert len(body) < len(LONG) / 10
    assert headers == [("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")]


def test_who_does_not_take_gzip_gets_it_as_it_is() -> None:
    headers: list[tuple[str, str]] = []
    assert compressed(headers, LONG, "identity") == LONG
    assert headers == [("Vary", "Accept-Encoding")]


def test_what_is_encoded_already_stays() -> None:
    headers = [("Content-Encoding", "br")]
    assert compressed(headers, LONG, "gzip") == LONG
    assert len(headers) == 1


def test_a_file_is_compressed_once() -> None:
    before = compression._once.cache_info().hits
    for _ in range(3):
        compressed([("ETag", 'W/"x"')], b"file" * 1_000, "gzip")
    assert compression._once.cache_info().hits >= before + 2


def test_the_gateway_compresses_the_console_and_no_short_answer() -> None:
    app = gateway(Api(MemoryServices()).app)
    page, body = asked(app, "/console/app.js")
    assert page["Content-Encoding"] == "gzip"
    assert b"watchAlarms" in gzip.decompress(body)
    short, body = asked(app, "/health")
    assert "Content-Encoding" not in short
    assert json.loads(body) == {"status": "ok"}


def asked(app: Any, path: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request that takes gzip."""
    seen: dict[str, str] = {}
    environ = {
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_ENCODING": "gzip",
    }
    body = app(environ, lambda _, headers: seen.update(headers))
    return seen, b"".join(body)
