"""Where a queue's dead letters go, as the queue itself says: there is no second setting that could differ.

Must not know what a message holds.
"""

from __future__ import annotations

import json

from chalicelib.aws.answers import AwsRefused
from chalicelib.queue.client import QueueClient


class RedrivePolicy:
    """Asked once, when it is first needed. Thread-safe: two that ask at once hear the same."""

    def __init__(self, client: QueueClient) -> None:
        """`client` calls the queue whose dead letters are looked for."""
        self._client = client
        self._arns: tuple[str, str] | None = None

    @property
    def url(self) -> str:
        """The dead-letter queue's URL: it is in the same account and region, says SQS."""
        return f"{self._client.queue_url.rpartition('/')[0]}/{self.arn.rpartition(':')[2]}"

    @property
    def arn(self) -> str:
        """The dead-letter queue's ARN. Raises Unavailable, and AwsRefused when the queue has none."""
        return self._read()[0]

    @property
    def source_arn(self) -> str:
        """The queue's own ARN."""
        return self._read()[1]

    def _read(self) -> tuple[str, str]:
        if self._arns is None:
            names = ["RedrivePolicy", "QueueArn"]
            found = self._client.call("GetQueueAttributes", {"AttributeNames": names}).get("Attributes") or {}
            if not found.get("RedrivePolicy"):
                raise AwsRefused("NoDeadLetterQueue", "the queue has no redrive policy")
            target = json.loads(found["RedrivePolicy"])["deadLetterTargetArn"]
            self._arns = target, str(found.get("QueueArn", ""))
        return self._arns
