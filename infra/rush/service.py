"""The service as its organiser and its auditor ask it: slow, careful calls beside the crowd's fast ones.

Reads are tried again while the service is coming back from a fault. It must not know the ledger.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import quote

import msgspec

from infra.rush.facts import AvailabilitySeen, EventSeen, OrderSeen
from infra.rush.http import Address

PAGE = 100
"""Orders on one page of a list: the largest that the contract allows."""
CALL_SECONDS = 10.0
RETRY_SECONDS = 0.25

Shape = TypeVar("Shape")


class ServiceFault(Exception):
    """The service cannot be asked, or answers what the contract does not have."""


class _Page(msgspec.Struct, rename="camel"):
    items: tuple[OrderSeen, ...]
    next_cursor: str | None = None


class _Conservation(msgspec.Struct):
    gap: int


class Service:
    """A connection to the service, for one caller at a time."""

    def __init__(self, to: Address, patience_seconds: float = 20.0) -> None:
        """A read that fails by a lost connection or a 5xx is tried again for `patience_seconds`."""
        self._prefix = to.prefix
        self._bearer = {"Authorization": f"Bearer {to.token}"} if to.token else {}
        self._patience_seconds = patience_seconds
        kind = http.client.HTTPSConnection if to.tls else http.client.HTTPConnection
        self._connection = kind(to.host, to.port, timeout=CALL_SECONDS)

    def create_event(self, name: str, tickets: int, **terms: object) -> EventSeen:
        """Creates an event with `tickets` tickets of one type. Raises ServiceFault; it is not tried again.

        `terms` are more fields of the event. The whole crowd has one address, which is not limited.
        """
        draft = {
            "name": name,
            "description": "An on-sale played by the simulator.",
            "currency": "EUR",
            "ticketTypes": [{"name": "General admission", "price": 4_500, "capacity": tickets}],
            "clientRateLimit": None,
            **terms,
        }
        status, body = self._call("POST", "/events", msgspec.json.encode(draft))
        return _read("POST /events", status, 201, body, EventSeen)

    def event(self, event_id: int) -> EventSeen:
        """The event as it stands. Raises ServiceFault."""
        return self._get(f"/events/{event_id}", EventSeen)

    def availability(self, event_id: int) -> AvailabilitySeen:
        """What the gate can still give. Raises ServiceFault."""
        return self._get(f"/events/{event_id}/availability", AvailabilitySeen)

    def orders(self, event_id: int) -> tuple[OrderSeen, ...]:
        """Every order of the event; one that is decided between two pages may come twice.

        Raises ServiceFault.
        """
        return tuple(self._pages(f"/orders?eventId={event_id}&limit={PAGE}"))

    def some_pending(self, event_id: int) -> int:
        """How many orders of the event still wait for their answer, up to one page. Raises ServiceFault."""
        page = self._get(f"/orders?eventId={event_id}&status=pending&limit={PAGE}", _Page)
        return len(page.items)

    def gap(self, event_id: int) -> int:
        """Tickets that are nowhere (above 0) or in two places (below). Raises ServiceFault."""
        return self._get(f"/ops/events/{event_id}/conservation", _Conservation).gap

    def close(self) -> None:
        """Hangs up; a later call connects again."""
        self._connection.close()

    def _pages(self, path: str) -> Iterator[OrderSeen]:
        page = self._get(path, _Page)
        yield from page.items
        while page.next_cursor:
            page = self._get(f"{path}&cursor={quote(page.next_cursor)}", _Page)
            yield from page.items

    def _get(self, path: str, shape: type[Shape]) -> Shape:
        until = time.monotonic() + self._patience_seconds
        while True:
            try:
                status, body = self._call("GET", path)
            except ServiceFault:
                if time.monotonic() > until:
                    raise
            else:
                if status < 500 or time.monotonic() > until:
                    return _read(f"GET {path}", status, 200, body, shape)
            time.sleep(RETRY_SECONDS)

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", **self._bearer} if body else self._bearer
        try:
            self._connection.request(method, self._prefix + path, body, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ServiceFault(f"{method} {path}: {error or type(error).__name__}") from error


def _read(call: str, status: int, expected: int, body: bytes, shape: type[Shape]) -> Shape:
    if status != expected:
        raise ServiceFault(f"{call}: {status} {body[:300].decode(errors='replace')}")
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ServiceFault(f"{call}: {error}") from error
