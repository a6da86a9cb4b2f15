"""A queue as an auditor reads it. SQS has no way to look without taking: what was taken is given back.

Each look counts as one receipt of the message, of which a queue allows a few before it is a dead letter;
so a queue is walked once in an audit, and never in a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chalicelib.queue.client import QueueClient
from infra.audit.evidence import QueueHeld

HIDDEN_SECONDS = 30
"""How long a message that was taken is hidden from the workers if the audit dies before it gives it back."""
MAX_MESSAGES = 20_000
"""Bounds the walk to the time that messages stay hidden."""
_AT_ONCE = 10


class _Message(msgspec.Struct, rename="camel"):
    order_id: str
    event_id: int


def read_queue(client: QueueClient, event_id: int) -> QueueHeld:
    """Walks a queue to its end, and gives everything back. Raises Unavailable."""
    in_flight = _in_flight(client)
    taken: list[dict[str, Any]] = []
    try:
        while len(taken) < MAX_MESSAGES and (found := _receive(client)):
            taken += found
    finally:
        _give_back(client, [message["ReceiptHandle"] for message in taken])
    read = [_read(message["Body"]) for message in taken]
    return QueueHeld(
        order_ids=tuple(message.order_id for message in read if message and message.event_id == event_id),
        unreadable=sum(message is None for message in read),
        in_flight=in_flight,
        complete=len(taken) < MAX_MESSAGES,
    )


def _in_flight(client: QueueClient) -> int:
    name = "ApproximateNumberOfMessagesNotVisible"
    answer = client.call("GetQueueAttributes", {"AttributeNames": [name]})
    return int(answer.get("Attributes", {}).get(name, 0))


def _receive(client: QueueClient) -> list[dict[str, Any]]:
    wish = {"MaxNumberOfMessages": _AT_ONCE, "VisibilityTimeout": HIDDEN_SECONDS, "WaitTimeSeconds": 0}
    found: list[dict[str, Any]] = client.call("ReceiveMessage", wish).get("Messages") or []
    return found


def _give_back(client: QueueClient, handles: Sequence[str]) -> None:
    for start in range(0, len(handles), _AT_ONCE):
        entries = [
            {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for place, handle in enumerate(handles[start : start + _AT_ONCE])
        ]
        client.call("ChangeMessageVisibilityBatch", {"Entries": entries})


def _read(body: str) -> _Message | None:
    try:
        return msgspec.json.decode(body, type=_Message)
    except msgspec.MsgspecError:
        return None
