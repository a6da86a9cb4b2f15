"""AWS/SQS, as far as a queue can be asked for it: how many messages wait, are in flight, are delayed."""

from __future__ import annotations

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from infra.local.cloudwatch.metric import Points, Target, metric

NAMES = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}
"""A queue's attribute -> the metric that AWS makes of it. AWS does so once a minute, we once a second."""


class Queue:
    """One queue that is looked at."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        name = {"QueueName": client.queue_url.rpartition("/")[2]}
        self._targets = {each: Target([metric("AWS/SQS", NAMES[each], name)]) for each in NAMES}

    def points(self, second: int) -> Points:
        """How it stands, as of this second; nothing when SQS does not answer."""
        try:
            answer = self._client.call("GetQueueAttributes", {"AttributeNames": list(NAMES)})
        except (Unavailable, AwsRefused):
            return {}
        found = answer.get("Attributes") or {}
        return {
            (target, second): {float(found[name]): 1.0}
            for name, target in self._targets.items()
            if name in found
        }
