"""What Lambda makes of SQS messages, and of the function's answer."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.sqs_event import Malformed, event, failed_ids, queue_arn

MESSAGE = {
    "MessageId": "m1",
    "ReceiptHandle": "r1",
    "Body": "{}",
    "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
    "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
    "MessageAttributes": {"kind": {"StringValue": "test", "DataType": "String"}},
}


def test_a_record_has_what_lambda_gives() -> None:
    arn = queue_arn("http://127.0.0.1:4566/000000000000/onsale-local-orders", "us-east-1")
    assert event([MESSAGE], arn, "us-east-1")["Records"] == [
        {
            "messageId": "m1",
            "receiptHandle": "r1",
            "body": "{}",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
            "messageAttributes": {
                "kind": {
                    "stringValue": "test",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                }
            },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:onsale-local-orders",
            "awsRegion": "us-east-1",
        }
    ]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_nothing_reported_is_a_success(answer: object) -> None:
    assert failed_ids(answer, {"m1"}) == set()


def test_reported_records_have_failed() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert failed_ids(answer, {"m1", "m2"}) == {"m2"}


@pytest.mark.parametrize(
    "answer",
    [
        "ok",
        {"failures": []},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"messageId": "m1"}]},
        {"batchItemFailures": ["m1"]},
    ],
)
def test_an_answer_that_lambda_would_not_understand_is_malformed(answer: Any) -> None:
    with pytest.raises(Malformed):
        failed_ids(answer, {"m1"})
