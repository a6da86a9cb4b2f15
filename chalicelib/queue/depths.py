"""Counts what lies on the queue and on its dead-letter queue. Must not know what a message holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chalicelib.queue.client import QueueClient

_VISIBLE = "ApproximateNumberOfMessages"
_COUNTED = (_VISIBLE, f"{_VISIBLE}NotVisible", f"{_VISIBLE}Delayed")


class Depth(NamedTuple):
    """Messages of one queue; SQS counts them approximately."""

    waiting: int
    in_flight: int
    """Handed out, and not yet deleted or come back."""
    delayed: int


class Depths:
    """Thread-safe, as its client is."""

    def __init__(self, client: QueueClient, dead_letter_url: Callable[[], str]) -> None:
        """`client` calls the order queue; `dead_letter_url` says where its dead letters go."""
        self._client = client
        self._dead_letter_url = dead_letter_url

    def orders(self) -> Depth:
        """The order queue's. Raises Unavailable("queue") or AwsRefused."""
        return self._depth(self._client.queue_url)

    def dead_letters(self) -> Depth:
        """The dead-letter queue's. Raises Unavailable("queue"), or AwsRefused, also when there is none."""
        return self._depth(self._dead_letter_url())

    def _depth(self, queue_url: str) -> Depth:
        asked = {"QueueUrl": queue_url, "AttributeNames": list(_COUNTED)}
        told = self._client.call("GetQueueAttributes", asked).get("Attributes") or {}
        return Depth(*(int(told.get(name, 0)) for name in _COUNTED))
