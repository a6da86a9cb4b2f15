"""What becomes of the records that could not be done: come again later and later, or be moved aside.

A record is moved aside for its own failures, which the ledger counts; how often SQS handed it out does
not matter, since an outage makes that grow as well (docs/decisions/0007). Of an order it knows only whose
it is.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.log import log
from chalicelib.metrics import emit
from chalicelib.model import FailedMessage, OrderPlaced
from chalicelib.records import Record, read
from chalicelib.services import Services

MAX_ATTEMPTS = 5
"""Failures of its own after which a message is poison: some ten seconds of trying."""

FIRST_SECONDS = 2.0
GROWTH = 1.25
CAP_SECONDS = 900
"""The waits before one add up to four times it, so a message comes again at most a quarter longer after an
outage than the outage took. A thousand deliveries last a week."""

BURY_LIMIT_SECONDS = 3.0
"""Of one batch's dead letters; the rest is moved when it comes again."""

_not_for_sqs = re.compile("[^\t\n\r -~]").sub


def seconds_until_next(receive_count: int, jitter: float) -> int:
    """How long a record that was received so often (1 and up) stays away; `jitter` is from 0 to 1.

    A random part of the second half of the step, so that a batch does not come back as one block.
    """
    step = min(float(CAP_SECONDS), FIRST_SECONDS * GROWTH ** min(max(receive_count, 1) - 1, 100))
    return math.ceil(step * (1 + jitter) / 2)


def hand_back(services: Services, records: Iterable[Record], jitter: Callable[[], float]) -> None:
    """Has SQS hide the records for their next step. What it does not hear comes at the queue's own pace."""
    waits = [
        (record["receiptHandle"], seconds_until_next(received_times(record), jitter()))
        for record in records
        if "receiptHandle" in record
    ]
    if waits and (missed := services.returns.delay(waits)):
        log("visibility-not-changed", "warning", records=missed)


class Hopeless(NamedTuple):
    """Message ids: too many failures, so to the dead-letter queue with it; and what lies there already."""

    to_move: set[str]
    moved: set[str]


def count_failures(services: Services, records: Collection[Record], reasons: Mapping[str, str]) -> Hopeless:
    """Records one more failure of each record in the ledger, with its reason by message id.

    A message that was delivered twice at once comes again after it was moved. Raises Unavailable.
    """
    readable = dict(read(records)[0])
    failed = [_failed(each, reasons[each["messageId"]], readable.get(each["messageId"])) for each in records]
    found = services.ledger.count_failures(failed, services.clock())
    moved = {message_id for message_id, (_, is_moved) in found.items() if is_moved}
    often = {message_id for message_id, (failures, _) in found.items() if failures >= MAX_ATTEMPTS}
    return Hopeless(often - moved, moved)


def _failed(record: Record, reason: str, placed: OrderPlaced | None) -> FailedMessage:
    failed = FailedMessage(
        message_id=record["messageId"],
        body=record["body"],
        reason=reason,
        receive_count=received_times(record),
    )
    if placed is None:
        return failed
    return replace(failed, order_id=placed.order_id, event_id=placed.event_id, user_id=placed.user_id)


def bury(
    services: Services,
    records: Iterable[Record],
    reasons: Mapping[str, str],
    monotonic: Callable[[], float] = time.monotonic,
) -> set[str]:
    """Puts the records on the dead-letter queue, with the reason as an attribute.

    Returns the message ids that are there now, to be acknowledged. Whatever SQS does not take stays.
    """
    buried: set[str] = set()
    limit = monotonic() + BURY_LIMIT_SECONDS
    for record in records:
        message_id = record["messageId"]
        attributes = {
            "reason": _not_for_sqs("?", reasons[message_id]) or "unknown",
            "messageId": message_id,
            "receiveCount": str(received_times(record)),
        }
        try:
            services.returns.bury(
                record["body"], attributes, record.get("attributes", {}).get("MessageGroupId")
            )
        except (Unavailable, AwsRefused) as error:
            log("dead-letter-not-moved", "error", messageId=message_id, detail=str(error))
        else:
            buried.add(message_id)
            facts = {"messageId": message_id, "receiveCount": received_times(record)}
            emit("dead-letter", {"DeadLettered": 1}, "error", facts)
        if monotonic() > limit:
            break
    return buried


def received_times(record: Record) -> int:
    """How often SQS has handed the record out, this time included; 1 when it does not say."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
