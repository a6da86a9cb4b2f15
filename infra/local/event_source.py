"""The Lambda event source mapping of the local stack: one process is one concurrent function.

Run as `python -m infra.local.event_source`. Reads the app's own registration for batch size and window,
receives from the order queue, calls the real handler with true SQS events and deletes what it did not
report as failed. It knows no order.

`REDELIVER=3` in the environment hands every record to the handler three times, each time in another
batch, before it is deleted: a fault on purpose, for tests of "a message delivered ten times sells once".
Two signals do the like to a process that runs: SIGUSR1 drops the next batch (the handler does not see it,
nothing is deleted, SQS hands it out again after the visibility timeout), SIGUSR2 hands the next batch to
the handler twice in a row, before it is deleted.

`EVENT_SOURCE_MAPPING_FILE` is where the mapping's switch is: while it is off, nothing is received, and what
was received before is finished.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from chalicelib.aws.credentials import credential_source
from chalicelib.errors import Unavailable
from chalicelib.queue.client import QueueClient
from chalicelib.settings import Settings, from_environment
from infra.local import sqs_event
from infra.local.children import end_with_parent
from infra.local.context import LambdaContext
from infra.local.inbox import Inbox
from infra.local.invocation_counts import Called, InvocationCounts, untold
from infra.local.mapping_switch import FILE_VARIABLE, LOOK_SECONDS, Watch
from infra.local.warming import warm

RECEIVERS = 2
"""Threads that receive. One alone brings about 2,500 messages a second from the embedded SQS."""
WAIT_SECONDS = 1
"""Of a long poll. Lambda's own is 20; this one bounds how long stopping takes."""
RECEIVE_AT_MOST = DELETE_AT_MOST = 10
"""SQS's own limits."""
FUNCTION_TIMEOUT_MS = 15_000

READY = '{"level": "INFO", "message": "receiving"}'
"""The first line of the log, once everything is imported and signals are heard."""

Handler = Callable[[dict[str, Any], Any], object]


@dataclass(frozen=True)
class Delivery:
    """A received message and how many more times the handler is to see it."""

    message: sqs_event.Message
    left: int = 1

    @property
    def id(self) -> str:
        """SQS's id of the message."""
        message_id: str = self.message["MessageId"]
        return message_id


@dataclass(frozen=True)
class Mapping:
    """What the app declares with `@app.on_sqs_message`."""

    handler: Handler
    name: str
    batch_size: int
    window_seconds: float


def mapping_of(module: Any) -> Mapping:
    """Finds the function declared with `@app.on_sqs_message`. Raises LookupError when there is none."""
    for source in module.app.event_sources:
        if type(source).__name__ == "SQSEventConfig":
            handler = getattr(module, source.handler_string.rpartition(".")[2])
            return Mapping(handler, source.name, source.batch_size, source.maximum_batching_window_in_seconds)
    raise LookupError("the app declares no @app.on_sqs_message function")


def _always() -> bool:
    return True


class EventSource:
    """Moves messages from one queue through one handler."""

    def __init__(  # noqa: PLR0913 - one for each thing that it has to do with
        self,
        mapping: Mapping,
        client: QueueClient,
        settings: Settings,
        redeliver: int = 1,
        *,
        called: Called = untold,
        enabled: Callable[[], bool] = _always,
    ) -> None:
        """`redeliver` is how often the handler sees each message, see the module.

        `called` is told of each call of the handler; `enabled` is asked before messages are: whether any are
        to be received.
        """
        self._called = called
        self._enabled = enabled
        self._mapping = mapping
        self._client = client
        self._region = settings.aws_region
        self._arn = sqs_event.queue_arn(settings.order_queue_url, settings.aws_region)
        self._redeliver = redeliver
        self._inbox: Inbox[Delivery] = Inbox(mapping.batch_size, mapping.window_seconds)
        self._stopping = threading.Event()
        self._drop_next = self._double_next = False

    def run(self) -> None:
        """Works until `stop`, then finishes what it holds."""
        receivers = [threading.Thread(target=self._receive, name=f"receiver-{n}") for n in range(RECEIVERS)]
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="delete") as self._deleting:
            for receiver in receivers:
                receiver.start()
            closer = threading.Thread(target=self._close_after, args=(receivers,))
            closer.start()
            while batch := self._inbox.take():
                self._handle(batch)
            closer.join()

    def stop(self) -> None:
        """Receives nothing more. Safe to call from a signal handler."""
        self._stopping.set()

    def drop_next(self) -> None:
        """Forgets the next batch as if it had never come. Safe to call from a signal handler."""
        self._drop_next = True

    def double_next(self) -> None:
        """Hands the next batch to the handler twice. Safe to call from a signal handler."""
        self._double_next = True

    def _receive(self) -> None:
        while not self._stopping.is_set() and self._inbox.wait_for_room():
            if not self._enabled():
                self._stopping.wait(LOOK_SECONDS)
                continue
            try:
                messages = self._receive_once()
            except Unavailable as error:
                _log("receive failed", error=str(error))
                self._stopping.wait(0.5)
                continue
            self._inbox.put(Delivery(message, self._redeliver) for message in messages)

    def _receive_once(self) -> list[sqs_event.Message]:
        wanted = {
            "MaxNumberOfMessages": RECEIVE_AT_MOST,
            "WaitTimeSeconds": WAIT_SECONDS,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        answer = self._client.call("ReceiveMessage", wanted, timeout_ms=WAIT_SECONDS * 1000 + 5_000)
        messages: list[sqs_event.Message] = answer.get("Messages") or []
        return messages

    def _close_after(self, receivers: list[threading.Thread]) -> None:
        self._stopping.wait()
        # A receiver may wait for room that only the handling of a batch makes, or for its long poll.
        for receiver in receivers:
            receiver.join()
        self._inbox.close()

    def _handle(self, batch: list[Delivery]) -> None:
        if self._drop_next:
            self._drop_next = False
            _log("batch dropped, as asked by a signal", records=len(batch))
            return
        if self._double_next:
            self._double_next = False
            _log("batch handed over twice, as asked by a signal", records=len(batch))
            self._call(batch)  # what it reports as failed has its second chance at once
        failed = self._call(batch)
        done = [delivery for delivery in batch if delivery.id not in failed]
        again = [replace(delivery, left=delivery.left - 1) for delivery in done if delivery.left > 1]
        if again:
            self._inbox.put(again)
        self._delete([delivery for delivery in done if delivery.left <= 1])

    def _call(self, batch: list[Delivery]) -> set[str]:
        """Returns the ids that failed: all of them when the handler raises or answers nonsense."""
        ids = {delivery.id for delivery in batch}
        event = sqs_event.event([delivery.message for delivery in batch], self._arn, self._region)
        context = LambdaContext(str(uuid.uuid4()), self._mapping.name, FUNCTION_TIMEOUT_MS)
        began, raised = time.perf_counter(), True
        try:
            answer = self._mapping.handler(event, context)
            raised = False
            return sqs_event.failed_ids(answer, ids)
        except Exception as error:
            _log("batch failed", error=repr(error), records=len(batch), trace=traceback.format_exc())
            return ids
        finally:
            self._called(time.perf_counter() - began, raised)

    def _delete(self, deliveries: list[Delivery]) -> None:
        for start in range(0, len(deliveries), DELETE_AT_MOST):
            self._deleting.submit(self._delete_once, deliveries[start : start + DELETE_AT_MOST])

    def _delete_once(self, deliveries: list[Delivery]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": delivery.message["ReceiptHandle"]}
            for number, delivery in enumerate(deliveries)
        ]
        try:
            answer = self._client.call("DeleteMessageBatch", {"Entries": entries})
        except Exception as error:
            _log("delete failed", error=repr(error), records=len(entries))
            return
        if answer.get("Failed"):
            _log("delete refused", error=str(answer["Failed"][0]), records=len(answer["Failed"]))


def _log(message: str, **facts: object) -> None:
    line = json.dumps({"level": "ERROR", "message": message, **facts}, default=str)
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Runs the mapping of `app.py` until SIGTERM."""
    end_with_parent()
    settings = from_environment()
    client = QueueClient(
        settings.order_queue_url, settings.aws_region, credential_source(settings), settings.queue_timeout_ms
    )
    module = import_module("app")
    import_module("chalicelib.fulfilment")
    warm(module.services)
    mapping = mapping_of(module)
    counts = InvocationCounts(f"onsale-{settings.stage}-{mapping.name}")
    counts.start()
    redeliver = int(os.environ.get("REDELIVER") or 1)
    file = os.environ.get(FILE_VARIABLE)
    enabled = Watch(Path(file)).enabled if file else _always
    source = EventSource(mapping, client, settings, redeliver, called=counts.called, enabled=enabled)
    signal.signal(signal.SIGTERM, lambda *_: source.stop())
    signal.signal(signal.SIGUSR1, lambda *_: source.drop_next())
    signal.signal(signal.SIGUSR2, lambda *_: source.double_next())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(READY, flush=True)
    source.run()
    counts.flush(int(time.time()))


if __name__ == "__main__":
    main()
