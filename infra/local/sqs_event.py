"""What Lambda makes of SQS messages, and of the function's answer. Pure: calls nobody, keeps nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Message = Mapping[str, Any]
"""One message as ReceiveMessage returns it."""


class Malformed(ValueError):
    """The function's answer is none that Lambda understands: the whole batch counts as failed."""


def queue_arn(queue_url: str, region: str) -> str:
    """The ARN of the queue at `http(s)://host/account/name`."""
    account, name = urlsplit(queue_url).path.strip("/").split("/")[-2:]
    return f"arn:aws:sqs:{region}:{account}:{name}"


def event(messages: Iterable[Message], arn: str, region: str) -> dict[str, Any]:
    """The event that carries `messages` as records, in their order."""
    return {"Records": [_record(message, arn, region) for message in messages]}


def failed_ids(answer: object, message_ids: Collection[str]) -> set[str]:
    """Message ids that the function reports as failed; empty when all succeeded.

    By the rules of ReportBatchItemFailures (Lambda guide, "Handling errors for an SQS event source"):
    None, nothing and an empty list are a success. Raises Malformed for anything else that is not a list
    of known ids.
    """
    if answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict) or "batchItemFailures" not in answer:
        raise Malformed(f"no batchItemFailures in {str(answer)[:200]}")
    return {_failed_id(item, message_ids) for item in answer["batchItemFailures"] or ()}


def _failed_id(item: object, message_ids: Collection[str]) -> str:
    found = item.get("itemIdentifier") if isinstance(item, dict) else None
    if not isinstance(found, str) or found not in message_ids:
        raise Malformed(f"not a record of this batch: {str(item)[:200]}")
    return found


def _record(message: Message, arn: str, region: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes") or {}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {"stringValue": value.get("StringValue"), "binaryValue": value.get("BinaryValue")}
    given = {name: content for name, content in found.items() if content is not None}
    return {**given, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
