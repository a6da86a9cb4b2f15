"""Calls one SQS queue. Must not know what a message holds, nor how sends are put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.aws.client import AwsClient
from chalicelib.aws.credentials import CredentialSource
from chalicelib.aws.sigv4 import SQS


class QueueClient(AwsClient):
    """One queue. Thread-safe, as every AwsClient."""

    def __init__(
        self, queue_url: str, region: str, credentials: CredentialSource, timeout_ms: int, **for_tests: Any
    ) -> None:
        """`queue_url` says where to connect, too; the rest is as AwsClient has it."""
        super().__init__(queue_url, region, credentials, timeout_ms, service=SQS, part="queue", **for_tests)
        self.queue_url = queue_url

    def call(
        self, action: str, payload: Mapping[str, object], timeout_ms: int | None = None
    ) -> dict[str, Any]:
        """As AwsClient has it, with the queue's URL in `payload`. Raises Unavailable("queue"), AwsRefused."""
        return super().call(action, {"QueueUrl": self.queue_url, **payload}, timeout_ms)
