"""Plays the payment provider: signs notices of payments and brings them until the service has taken them.

It knows the HTTP contract and the shared secret, and nothing of the service's insides.
"""

from __future__ import annotations

import http.client
import time
import uuid
from typing import TypeVar
from urllib.parse import quote

import msgspec

from chalicelib.payments import SIGNATURE_HEADER, sign
from infra.rush.http import address

CALL_SECONDS = 10.0
RETRY_SECONDS = 0.5

Shape = TypeVar("Shape")


class NotTaken(Exception):
    """The service does not answer, or refuses the notice. The message says what it said."""


class Notice(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What the webhook's body says."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: str = "succeeded"


class Taken(msgspec.Struct, frozen=True, rename="camel"):
    """What the service made of it."""

    reference: str
    order_id: str
    state: str


class OrderShown(msgspec.Struct, frozen=True, rename="camel"):
    """As much of an order as paying for it takes."""

    id: str
    status: str
    total_price: int
    currency: str


def new_reference() -> str:
    """A name that no payment has had."""
    return f"pay_{uuid.uuid4().hex}"


class Provider:
    """A payment provider that knows one service."""

    def __init__(self, url: str, secret: str, token: str = "", patience_seconds: float = 20.0) -> None:
        """`url` is the service's; a 503 is tried again for `patience_seconds`, by real providers for days.

        `token` is for reading orders, where the service asks for one.
        """
        self.url = url
        self._to = address(url)
        self._bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._secret = secret
        self._patience_seconds = patience_seconds

    def order(self, order_id: str) -> OrderShown | None:
        """Reads an order; None when there is none. Raises NotTaken."""
        status, body = self._call("GET", f"/orders/{quote(order_id, safe='')}", b"", self._bearer)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        return _read(status, body, OrderShown)

    def notify(self, notice: Notice) -> Taken:
        """Brings a notice until it is taken. Raises NotTaken when it is refused or nobody answers in time."""
        raw = msgspec.json.encode(notice)
        until = time.monotonic() + self._patience_seconds
        while True:
            headers = {
                "Content-Type": "application/json",
                SIGNATURE_HEADER: sign(self._secret, int(time.time()), raw),
            }
            status, body = self._call("POST", "/payments/events", raw, headers)
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > until:
                return _read(status, body, Taken)
            time.sleep(RETRY_SECONDS)

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        to = self._to
        kind = http.client.HTTPSConnection if to.tls else http.client.HTTPConnection
        connection = kind(to.host, to.port, timeout=CALL_SECONDS)
        try:
            connection.request(method, to.prefix + path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotTaken(f"{method} {path}: {error or type(error).__name__}") from error
        finally:
            connection.close()


def _read(status: int, body: bytes, shape: type[Shape]) -> Shape:
    if status != http.HTTPStatus.OK:
        raise NotTaken(f"{status} {body[:300].decode(errors='replace')}")
    return msgspec.json.decode(body, type=shape)
