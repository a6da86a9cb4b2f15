"""Sends messages. Sends that meet are put together, so that a crowd costs a tenth of the calls.

A thread that finds a free lane sends at once whatever is there; those that arrive meanwhile wait,
and one of them takes the next batch along. Nobody waits for company, and a caller that is alone
(a Lambda environment) sends a plain SendMessage. Must not know what a message holds.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from threading import Lock
from typing import Any

from chalicelib.aws.answers import AwsRefused, refused_at_the_door
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient

MAX_ENTRIES = 10
MAX_BATCH_BYTES = 1_048_576
"""Both from the SQS API reference, SendMessageBatch."""
LANES = 2
"""Calls under way at once in one process; measured in docs/decisions/0003."""


class _Turn(Enum):
    """What a waiting thread is told when its message was not sent for it."""

    LEAD = "take the next batch along"
    ALONE = "the batch was refused whole: send yours by itself"


class _Letter:
    """One message and its outcome, None while it is not known. `woken` is held until then by who waits."""

    __slots__ = ("body", "group", "outcome", "size", "woken")

    def __init__(self, body: str, group: str) -> None:
        self.body = body
        self.group = group
        self.size = len(body.encode())
        self.woken: Lock | None = None
        self.outcome: str | Exception | _Turn | None = None


class Sender:
    """Thread-safe. One for a process, so that all its threads' messages can meet."""

    def __init__(self, client: QueueClient, lanes: int = LANES) -> None:
        """`lanes` is how many calls may be under way at once."""
        self._client = client
        self._free_lanes = lanes
        self._waiting: deque[_Letter] = deque()
        self._lock = Lock()

    def send(self, body: str, group: str) -> str:
        """Puts `body` on the queue and returns the message id. `group` is the fair queue's tenant.

        At most twice the client's timeout. Raises Unavailable("queue"), ambiguous when the message
        may be on the queue all the same; AwsRefused when SQS will never take it (at most 1 MiB of
        UTF-8, not empty, no control characters); UnicodeEncodeError for a lone surrogate.
        """
        letter = _Letter(body, group)
        if not self._enter(letter):
            self._wait(letter)
        if letter.outcome is _Turn.LEAD:
            self._lead(letter)
        if letter.outcome is _Turn.ALONE:
            return self._send_one(letter)
        if isinstance(letter.outcome, Exception):
            raise letter.outcome
        return str(letter.outcome)

    @property
    def waiting(self) -> int:
        """How many messages stand in line for a lane at this moment."""
        return len(self._waiting)

    def ping(self) -> None:
        """Asks SQS for the queue's name. Raises Unavailable("queue") or AwsRefused."""
        self._client.call("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})

    def _enter(self, letter: _Letter) -> bool:
        """Takes a free lane, or stands in line and returns False."""
        with self._lock:
            if self._free_lanes:
                self._free_lanes -= 1
                letter.outcome = _Turn.LEAD
                return True
            letter.woken = Lock()
            letter.woken.acquire()
            self._waiting.append(letter)
            return False

    def _wait(self, letter: _Letter) -> None:
        """Returns when there is an outcome. Leaves the line when its time is up."""
        assert letter.woken is not None  # noqa: S101 - set by _enter; for the type checker
        try:
            if letter.woken.acquire(timeout=self._client.timeout_ms / 1000):
                return
            self._give_up(letter)
            letter.woken.acquire()  # with a leader now, whose call has a time limit of its own
        except BaseException:
            self._leave(letter)
            raise

    def _give_up(self, letter: _Letter) -> None:
        """Out of the line and refused under one lock: nobody may send it any more."""
        with self._lock:
            if letter in self._waiting:
                self._waiting.remove(letter)
                raise Unavailable("queue", "waited in line for a whole timeout")

    def _leave(self, letter: _Letter) -> None:
        """Whoever is interrupted in line must not keep a lane that was handed on to it."""
        with self._lock:
            if letter in self._waiting:
                self._waiting.remove(letter)
            elif letter.outcome is _Turn.LEAD:
                self._hand_on()

    def _lead(self, letter: _Letter) -> None:
        """Sends one batch, `letter` in it, and wakes the others with their outcomes."""
        batch = [letter]
        letter.outcome = None
        try:
            self._gather(batch)
            self._deliver(batch)
        except Exception as error:
            _settle_unsettled(batch, error)
        except BaseException:
            _settle_unsettled(
                batch, Unavailable("queue", "the sending thread was interrupted", ambiguous=True)
            )
            raise
        finally:
            with self._lock:
                self._hand_on()
            for other in batch[1:]:
                other.woken.release()  # type: ignore[union-attr]

    def _gather(self, batch: list[_Letter]) -> None:
        size = batch[0].size
        with self._lock:
            while self._waiting and len(batch) < MAX_ENTRIES:
                size += self._waiting[0].size
                if size > MAX_BATCH_BYTES:
                    return
                batch.append(self._waiting.popleft())

    def _hand_on(self) -> None:
        """Gives the lane to the first in line. The lock must be held."""
        if self._waiting:
            heir = self._waiting.popleft()
            heir.outcome = _Turn.LEAD
            heir.woken.release()  # type: ignore[union-attr]
        else:
            self._free_lanes += 1

    def _deliver(self, batch: list[_Letter]) -> None:
        if len(batch) == 1:
            batch[0].outcome = self._send_one(batch[0])
            return
        entries = [
            {"Id": str(at), "MessageBody": letter.body, "MessageGroupId": letter.group}
            for at, letter in enumerate(batch)
        ]
        try:
            answer = self._client.call("SendMessageBatch", {"Entries": entries})
        except AwsRefused:
            for letter in batch:
                letter.outcome = _Turn.ALONE
        else:
            _settle(batch, answer)

    def _send_one(self, letter: _Letter) -> str:
        answer = self._client.call(
            "SendMessage", {"MessageBody": letter.body, "MessageGroupId": letter.group}
        )
        return str(answer["MessageId"])


def _settle(batch: list[_Letter], answer: dict[str, Any]) -> None:
    """Gives every letter its own outcome; one that the answer does not name may or may not be sent."""
    for sent in answer.get("Successful") or ():
        batch[int(sent["Id"])].outcome = str(sent["MessageId"])
    for failed in answer.get("Failed") or ():
        batch[int(failed["Id"])].outcome = _failure(failed)
    _settle_unsettled(batch, Unavailable("queue", "no result for this entry", ambiguous=True))


def _settle_unsettled(batch: list[_Letter], error: Exception) -> None:
    for letter in batch:
        if letter.outcome is None:
            letter.outcome = error


def _failure(failed: dict[str, Any]) -> Exception:
    """An entry's own failure: the sender's fault is final, SQS's own may pass."""
    code, detail = str(failed.get("Code", "")), str(failed.get("Message", ""))
    if failed.get("SenderFault"):
        return AwsRefused(code, detail)
    return Unavailable("queue", f"{code}: {detail}", ambiguous=not refused_at_the_door(code))
