"""The order queue and its dead-letter queue in memory, as far as an operator calls them; faults on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.sigv4 import Credentials
from chalicelib.queue.client import QueueClient

ACCOUNT = "arn:aws:sqs:us-east-1:000000000000"


class MemoryPair(QueueClient):
    """What is sent goes to `send`; `dead` has what lies dead, by receipt; `faults` befall an action once."""

    def __init__(self, send: Callable[[str, str], object]) -> None:
        """`send` takes a body and its group, as the door's sender does."""
        super().__init__("http://memory/1/orders", "us-east-1", lambda: Credentials("k", "s"), 1_000)
        self._send = send
        self._lock = threading.RLock()
        self.dead: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.faults: dict[str, BaseException] = {}
        self.tasks: list[dict[str, Any]] | None = None
        """Moves that SQS was asked for; None: it cannot, as the embedded SQS."""

    def bury(self, body: str, message_id: str = "", group: str = "") -> str:
        """Puts a message on the dead-letter queue; without an id as SQS itself does. Returns the id."""
        receipt = str(uuid4())
        message: dict[str, Any] = {"MessageId": receipt, "ReceiptHandle": receipt, "Body": body}
        if message_id:
            message["MessageAttributes"] = {"messageId": {"DataType": "String", "StringValue": message_id}}
        if group:
            message["Attributes"] = {"MessageGroupId": group}
        with self._lock:
            self.dead[receipt] = message
        return message_id or receipt

    def visible_again(self) -> None:
        """Lets the visibility timeout pass."""
        self.hidden.clear()

    def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        timeout_ms: int | None = None,  # noqa: ARG002 - in memory nothing takes time
    ) -> dict[str, Any]:
        """What SQS would answer."""
        with self._lock:
            if fault := self.faults.pop(action, None):
                raise fault
            return dict(getattr(self, f"_{action}")(payload))

    def _GetQueueAttributes(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - SQS's own names
        if payload.get("QueueUrl", "").endswith("/dead"):
            seen = len(self.dead) - len(self.hidden)
            found = {"ApproximateNumberOfMessages": seen}
            return {"Attributes": found | {"ApproximateNumberOfMessagesNotVisible": len(self.hidden)}}
        policy = f'{{"deadLetterTargetArn": "{ACCOUNT}:dead", "maxReceiveCount": "9"}}'
        return {"Attributes": {"RedrivePolicy": policy, "QueueArn": f"{ACCOUNT}:orders"}}

    def _ReceiveMessage(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        seen = [receipt for receipt in self.dead if receipt not in self.hidden]
        taken = seen[: payload["MaxNumberOfMessages"]]
        self.hidden.update(taken)
        return {"Messages": [self.dead[receipt] for receipt in taken]} if taken else {}

    def _SendMessage(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._send(payload["MessageBody"], payload.get("MessageGroupId", ""))
        return {"MessageId": str(uuid4())}

    def _SendMessageBatch(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Successful": [{"Id": e["Id"], **self._SendMessage(e)} for e in payload["Entries"]]}

    def _DeleteMessageBatch(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        for entry in payload["Entries"]:
            self.dead.pop(entry["ReceiptHandle"], None)
            self.hidden.discard(entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in payload["Entries"]]}

    def _ChangeMessageVisibilityBatch(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.hidden -= {entry["ReceiptHandle"] for entry in payload["Entries"]}
        return {"Successful": [{"Id": entry["Id"]} for entry in payload["Entries"]]}

    def _StartMessageMoveTask(self, payload: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        arns = payload["SourceArn"], payload["DestinationArn"]
        assert arns == (f"{ACCOUNT}:dead", f"{ACCOUNT}:orders")
        self._can_move().append({"Status": "RUNNING", "ApproximateNumberOfMessagesToMove": len(self.dead)})
        return {"TaskHandle": "h"}

    def _ListMessageMoveTasks(self, _: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Results": self._can_move()}

    def _can_move(self) -> list[dict[str, Any]]:
        if self.tasks is None:
            raise AwsRefused("InvalidAction", "not valid for this endpoint")
        return self.tasks
