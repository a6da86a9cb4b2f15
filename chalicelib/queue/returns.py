"""What a receiver does with a message that it could not do: has it come later, or moves it aside.

Must not know what a message holds, nor why it failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from chalicelib.queue.redrive_policy import RedrivePolicy

MAX_ENTRIES = 10
"""Of a ChangeMessageVisibilityBatch, says the SQS API reference."""
DELAY_LIMIT_SECONDS = 3.0
"""What `delay` may take: a hundred messages are ten calls of some 10 ms. A part of the function's 15 s."""


class Returns:
    """Thread-safe, as its client is."""

    def __init__(self, client: QueueClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`client` calls the queue that the messages came from."""
        self._client = client
        self._monotonic = monotonic
        self._policy = RedrivePolicy(client)

    def delay(self, waits: Sequence[tuple[str, int]]) -> int:
        """Has each message come again after its time: pairs of receipt handle and seconds (0 to 43,200).

        Returns how many it could not do, or not in DELAY_LIMIT_SECONDS; those come back when the queue's own
        visibility timeout is over, so nothing is raised.
        """
        limit = self._monotonic() + DELAY_LIMIT_SECONDS
        done = 0
        for start in range(0, len(waits), MAX_ENTRIES):
            left_ms = int((limit - self._monotonic()) * 1000)
            if left_ms <= 0:
                break
            entries = [
                {"Id": str(place), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for place, (receipt, seconds) in enumerate(waits[start : start + MAX_ENTRIES])
            ]
            try:
                timeout_ms = min(left_ms, self._client.timeout_ms)
                answer = self._client.call("ChangeMessageVisibilityBatch", {"Entries": entries}, timeout_ms)
            except (Unavailable, AwsRefused):
                break
            done += len(answer.get("Successful") or ())
        return len(waits) - done

    def bury(self, body: str, attributes: Mapping[str, str], group: str | None = None) -> None:
        """Puts a copy on the queue's own dead-letter queue; the receiver then acknowledges the message.

        `attributes` are message attributes, texts that are not empty; `group` is the message's tenant.
        Raises Unavailable("queue"), after which a second copy does no harm, and AwsRefused.
        """
        payload: dict[str, object] = {
            "QueueUrl": self.dead_letter_url(),
            "MessageBody": body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        if group:
            payload["MessageGroupId"] = group
        self._client.call("SendMessage", payload)

    def dead_letter_url(self) -> str:
        """Asks once where the redrive policy leads.

        Raises Unavailable("queue"), or AwsRefused when the queue has no such policy.
        """
        return self._policy.url
