"""What a house's history hears: the door, and messages that a test puts on the queue past it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.services import Services
from infra.history.lines import Event, TypeAsked
from infra.history.recorder import Recorder
from tests.api.conftest import Answer, Api


class HeardApi(Api):
    """The door, with everything that is asked and answered taken down."""

    def __init__(self, services: Services, record: Recorder) -> None:
        super().__init__(services)  # type: ignore[arg-type]
        self._record = record

    def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Sends one request; one that raises has no answer."""
        number = self._record.asked(method, url, _raw(body), headers.get("Idempotency_Key"))
        answer = super().__call__(method, url, body, **headers)
        replayed = "idempotent-replayed" in answer.headers
        self._record.told(number, answer.status, answer.text.encode(), replayed=replayed)
        return answer


class _Sent(msgspec.Struct, rename="camel"):
    order_id: str
    event_id: int
    user_id: str


def take_down_sent(record: Recorder, bodies: Iterable[str]) -> None:
    """Takes down the orders that go on the queue past the door; what nobody can read is none."""
    for body in bodies:
        try:
            sent = msgspec.json.decode(body, type=_Sent)
        except (msgspec.MsgspecError, UnicodeError):
            continue
        record.put(sent.event_id, sent.user_id, sent.order_id)


def terms_of(made: Any) -> Event:
    """The line of an event, from the answer to its organiser."""
    return Event(
        id=made["id"],
        ticket_types=tuple(TypeAsked(kind["id"], kind["capacity"]) for kind in made["ticketTypes"]),
        max_per_buyer=made.get("maxPerBuyer"),
        max_per_order=made.get("maxPerOrder"),
        hold_seconds=made.get("holdSeconds", 0),
    )


def _raw(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return msgspec.json.encode(body)
