"""SQS in memory: the same answers, the same refusals, and faults on demand."""

from __future__ import annotations

import re
import string
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.sigv4 import Credentials
from chalicelib.queue.client import QueueClient
from chalicelib.queue.sender import MAX_BATCH_BYTES, MAX_ENTRIES, Sender

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a message body may not hold, says the SQS API reference."""
GROUP_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
"""Of a MessageGroupId, 1 to 128 of them, says the SQS API reference."""


class MemoryQueue(QueueClient):
    """One queue with its calls written down. `faults` befall the next calls, one each; None is none."""

    def __init__(self, timeout_ms: int = 10_000) -> None:
        """`timeout_ms` is how long a sender lets its callers stand in line."""
        super().__init__("http://memory/orders", "us-east-1", lambda: Credentials("k", "s"), timeout_ms)
        self.calls: list[tuple[str, int]] = []
        self.messages: list[dict[str, Any]] = []
        self.faults: deque[BaseException | None] = deque()
        self.failed_entries: dict[str, dict[str, Any] | None] = {}
        self.flowing = threading.Event()
        self.flowing.set()
        self._lock = threading.Lock()
        self._received = 0
        self._under_way = 0
        self.most_at_once = 0

    def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        timeout_ms: int | None = None,  # noqa: ARG002 - in memory nothing takes time
    ) -> dict[str, Any]:
        """What SQS would answer; held back while `flowing` is not set."""
        with self._lock:
            self.calls.append((action, len(payload.get("Entries", "1"))))
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        assert self.flowing.wait(20), "the test never let the queue flow"
        with self._lock:
            self._under_way -= 1
            if self.faults and (fault := self.faults.popleft()):
                raise fault
            return dict(getattr(self, f"_{action}")(payload))

    def _SendMessage(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - SQS's own name
        body, group = payload["MessageBody"], payload["MessageGroupId"]
        if not body or len(body.encode()) > MAX_BATCH_BYTES or FORBIDDEN.search(body):
            raise AwsRefused("InvalidMessageContents", "empty, too long, or a forbidden character")
        if not (0 < len(group) <= 128 and GROUP_CHARACTERS.issuperset(group)):
            raise AwsRefused("InvalidParameterValue", "MessageGroupId")
        made = {"MessageId": str(uuid4()), "Body": body, "Attributes": {"MessageGroupId": group}}
        self.messages.append(made)
        return {"MessageId": made["MessageId"]}

    def _SendMessageBatch(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        entries = payload["Entries"]
        size = sum(len(entry["MessageBody"].encode()) for entry in entries)
        if len(entries) > MAX_ENTRIES or size > MAX_BATCH_BYTES:
            raise AwsRefused("BatchRequestTooLong", f"{len(entries)} entries, {size} bytes")
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            if entry["MessageBody"] in self.failed_entries:
                failure = self.failed_entries[entry["MessageBody"]]
                answer["Failed"] += [{"Id": entry["Id"], **failure}] if failure else []
                continue
            try:
                answer["Successful"].append({"Id": entry["Id"], **self._SendMessage(entry)})
            except AwsRefused as error:
                answer["Failed"].append({"Id": entry["Id"], "Code": error.code, "SenderFault": True})
        return answer

    def _ReceiveMessage(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        start = self._received
        found = self.messages[start : start + payload["MaxNumberOfMessages"]]
        self._received += len(found)
        return {"Messages": found}

    def _GetQueueAttributes(self, _: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:orders"}}


class MemorySender(Sender):
    """The real sender over a queue in memory; what it sent is in `queue.messages`."""

    def __init__(self, lanes: int = 1, timeout_ms: int = 10_000) -> None:
        """`timeout_ms` is how long a caller may stand in line."""
        self.queue = MemoryQueue(timeout_ms)
        super().__init__(self.queue, lanes)
