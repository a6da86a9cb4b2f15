"""The dead-letter queue from an operator's side: looked through, put back on the order queue, or emptied.

A message is sent to the order queue before it is deleted here, so that a crash in between makes a second copy
and loses none. SQS has no way to look without taking; whoever took says which to release. Must not know
what a message holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from chalicelib.aws.answers import AwsRefused
from chalicelib.queue.client import QueueClient
from chalicelib.queue.redrive_policy import RedrivePolicy

AT_ONCE = 10
"""Entries of a batch, says the SQS API reference."""
BATCH_BYTES = 1_048_576
"""Of a SendMessageBatch, from the same place."""
HIDDEN_SECONDS = 30
"""How long a message that was taken stays hidden: above what one call of an operator's works."""
LOOK_SECONDS = 1
"""A long poll asks every server of the queue; a short one may miss what is there."""

_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_UNSUPPORTED = frozenset(
    {
        "InvalidAction",  # ministack, and SQS for an action it does not know
        "UnknownOperationException",
        "UnsupportedOperation",
        "AWS.SimpleQueueService.UnsupportedOperation",
        "NotImplemented",
        "NotImplementedException",
    }
)

_Item = TypeVar("_Item")


class Copy(NamedTuple):
    """A message in hand. `message_id` is the one it failed under; `group` is its tenant, empty for none."""

    message_id: str
    receipt: str
    body: str
    group: str


class MoveTask(NamedTuple):
    """SQS's own move, the last one that was started; `started_ms` is since the epoch."""

    running: bool
    moved: int
    to_move: int
    started_ms: int


class DeadLetterQueue:
    """Thread-safe, as its client is. Every method may raise Unavailable("queue") and AwsRefused."""

    def __init__(self, client: QueueClient) -> None:
        """`client` calls the order queue; its redrive policy says which queue has its dead letters."""
        self._client = client
        self._policy = RedrivePolicy(client)

    def take(self) -> list[Copy]:
        """Takes at most ten messages, hidden from others for HIDDEN_SECONDS. None left: waits a second."""
        wish = {
            "MaxNumberOfMessages": AT_ONCE,
            "VisibilityTimeout": HIDDEN_SECONDS,
            "WaitTimeSeconds": LOOK_SECONDS,
            "AttributeNames": ["MessageGroupId"],
            "MessageAttributeNames": ["messageId"],
        }
        timeout_ms = self._client.timeout_ms + LOOK_SECONDS * 1_000
        answer = self._call("ReceiveMessage", wish, timeout_ms)
        return [_copy_of(message) for message in answer.get("Messages") or ()]

    def put_back(self, copies: Sequence[Copy]) -> list[Copy]:
        """Sends messages to the order queue, then deletes them here; returns those that were sent.

        What could not be sent stays. What could not be deleted comes again, and is then sent once more.
        """
        sent: list[Copy] = []
        for part in _batches(copies):
            entries = [_entry(place, copy) for place, copy in enumerate(part)]
            answer = self._client.call("SendMessageBatch", {"Entries": entries})
            went = [part[int(each["Id"])] for each in answer.get("Successful") or ()]
            self.remove(went)
            sent += went
        return sent

    def send(self, body: str, group: str) -> str:
        """Puts a message on the order queue of which no copy is left here; returns its id there."""
        payload = {"MessageBody": body} | ({"MessageGroupId": group} if group else {})
        return str(self._client.call("SendMessage", payload)["MessageId"])

    def remove(self, copies: Sequence[Copy]) -> None:
        """Deletes messages here."""
        for part in _tens(copies):
            entries = [{"Id": str(place), "ReceiptHandle": copy.receipt} for place, copy in enumerate(part)]
            self._call("DeleteMessageBatch", {"Entries": entries})

    def release(self, copies: Sequence[Copy]) -> None:
        """Lets others see messages that were taken, at once."""
        for part in _tens(copies):
            entries = [
                {"Id": str(place), "ReceiptHandle": copy.receipt, "VisibilityTimeout": 0}
                for place, copy in enumerate(part)
            ]
            self._call("ChangeMessageVisibilityBatch", {"Entries": entries})

    def counts(self) -> tuple[int, int]:
        """How many messages wait here, and how many somebody has in hand; approximate on AWS."""
        found = self._call("GetQueueAttributes", {"AttributeNames": list(_COUNTS)}).get("Attributes") or {}
        return int(found.get(_COUNTS[0], 0)), int(found.get(_COUNTS[1], 0))

    def start_move(self) -> bool:
        """Has SQS move everything to the order queue by itself; False where it cannot."""
        policy = self._policy
        # Without a destination SQS moves messages back to where it took them from, and it did not take these.
        task = {"SourceArn": policy.arn, "DestinationArn": policy.source_arn}
        try:
            self._client.call("StartMessageMoveTask", task)
        except AwsRefused as error:
            if error.code in _UNSUPPORTED:
                return False
            raise
        return True

    def move_task(self) -> MoveTask | None:
        """The last move that SQS was asked for; None when there was none, or SQS cannot."""
        try:
            answer = self._client.call("ListMessageMoveTasks", {"SourceArn": self._policy.arn})
        except AwsRefused as error:
            if error.code in _UNSUPPORTED:
                return None
            raise
        tasks = [_task_of(each) for each in answer.get("Results") or ()]
        return max(tasks, key=lambda task: task.started_ms) if tasks else None

    def _call(self, action: str, payload: dict[str, Any], timeout_ms: int | None = None) -> dict[str, Any]:
        return self._client.call(action, {"QueueUrl": self._policy.url, **payload}, timeout_ms)


def _copy_of(message: dict[str, Any]) -> Copy:
    """One that was moved aside carries the id that it failed under; SQS's own redrive keeps the id."""
    named = (message.get("MessageAttributes") or {}).get("messageId") or {}
    return Copy(
        message_id=named.get("StringValue") or message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=(message.get("Attributes") or {}).get("MessageGroupId", ""),
    )


def _entry(place: int, copy: Copy) -> dict[str, str]:
    entry = {"Id": str(place), "MessageBody": copy.body}
    return entry | {"MessageGroupId": copy.group} if copy.group else entry


def _task_of(found: dict[str, Any]) -> MoveTask:
    return MoveTask(
        running=found.get("Status") in {"RUNNING", "CANCELLING"},
        moved=int(found.get("ApproximateNumberOfMessagesMoved") or 0),
        to_move=int(found.get("ApproximateNumberOfMessagesToMove") or 0),
        started_ms=int(found.get("StartedTimestamp") or 0),
    )


def _tens(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _batches(copies: Sequence[Copy]) -> Iterator[list[Copy]]:
    """Ten at most, and no more bytes than SQS takes at once."""
    part: list[Copy] = []
    size = 0
    for copy in copies:
        length = len(copy.body.encode())
        if part and (len(part) == AT_ONCE or size + length > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(copy)
        size += length
    if part:
        yield part
