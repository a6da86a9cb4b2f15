"""Keys from an issuer over HTTP: read once, read anew when they change, and 503 while nobody has them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chalicelib.errors import Unavailable
from chalicelib.identity.fetch import LONGEST_BYTES, fetch
from tests.api.conftest import Api
from tests.fakes.services import MemoryServices
from tests.support.tokens import AUDIENCE, ISSUER, SigningKey, claims_of, jwks


class Issuer:
    """An HTTP server that publishes `document`, with `status`."""

    def __init__(self) -> None:
        issuer = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(issuer.status)
                self.send_header("Location", f"{issuer.url}/elsewhere")
                self.end_headers()
                self.wfile.write(issuer.document)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.document, self.status, self.asked = b"", 200, 0
        self.server = HTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    published = Issuer()
    thread = threading.Thread(target=published.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield published
    published.server.shutdown()
    thread.join()
    published.server.server_close()


@pytest.fixture
def api(issuer: Issuer) -> Api:
    return Api(
        MemoryServices(auth_mode="jwt", auth_issuer=ISSUER, auth_audience=AUDIENCE, auth_jwks_url=issuer.url)
    )


def asks(api: Api, key: SigningKey) -> int:
    token = key.token(claims_of("ann", "operator"))
    return api("GET", "/ops/payments", Authorization=f"Bearer {token}").status


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_the_issuer_gets_in(api: Api, issuer: Issuer, algorithm: str) -> None:
    key = SigningKey(algorithm)
    issuer.document = jwks(key)
    assert [asks(api, key) for _ in range(3)] == [200, 200, 200]
    assert issuer.asked == 1
    assert asks(api, SigningKey(algorithm)) == 401


def test_nobody_is_let_in_or_sent_away_while_there_are_no_keys(api: Api, issuer: Issuer) -> None:
    issuer.status = 500
    token = SigningKey().token(claims_of("ann", "operator"))
    answer = api("GET", "/ops/payments", Authorization=f"Bearer {token}")
    assert answer.problem == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert api("GET", "/events").status == 200


def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    issuer.status, issuer.document = 302, jwks(SigningKey())
    with pytest.raises(Unavailable):
        fetch(issuer.url)
    assert issuer.asked == 1


def test_a_document_without_end_is_not_read_to_its_end(issuer: Issuer) -> None:
    issuer.document = b" " * (LONGEST_BYTES + 1)
    with pytest.raises(Unavailable):
        fetch(issuer.url)


def test_an_issuer_that_is_not_there_is_said_to_be_unavailable() -> None:
    with pytest.raises(Unavailable):
        fetch("http://127.0.0.1:1/keys")
