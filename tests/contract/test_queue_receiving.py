"""What a receiver may rely on: the stack's own SQS, and LocalStack where it is up.

The embedded SQS replaces three functions of the emulator (`infra/local/sqs_front.py`); this is what they owe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.queue.client import QueueClient
from chalicelib.queue.returns import Returns
from infra.local import sqs
from tests.support.sqs import fresh_queue
from tests.support.waiting import until


@pytest.fixture
def queue(endpoint: str) -> Iterator[QueueClient]:
    with closing(fresh_queue(endpoint)) as client:
        yield client


def send(queue: QueueClient, *bodies: str) -> None:
    for body in bodies:
        queue.call("SendMessage", {"MessageBody": body})


def receive(queue: QueueClient, visibility_seconds: int = 30) -> list[dict[str, Any]]:
    wanted = {"MaxNumberOfMessages": 10, "VisibilityTimeout": visibility_seconds, "AttributeNames": ["All"]}
    messages: list[dict[str, Any]] = queue.call("ReceiveMessage", wanted).get("Messages", [])
    return messages


def receive_soon(queue: QueueClient) -> list[dict[str, Any]]:
    """What the first receiving brings that brings anything."""
    found: list[dict[str, Any]] = []

    def take() -> bool:
        found.extend(receive(queue))
        return bool(found)

    until(take, "a message comes")
    return found


def delete(queue: QueueClient, *receipts: str) -> dict[str, Any]:
    entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
    return queue.call("DeleteMessageBatch", {"Entries": entries})


def received_times(message: dict[str, Any]) -> int:
    return int(message["Attributes"]["ApproximateReceiveCount"])


def test_a_received_message_is_hidden_from_others(queue: QueueClient) -> None:
    send(queue, "a", "b")
    assert sorted(message["Body"] for message in receive(queue) + receive(queue)) == ["a", "b"]
    assert receive(queue) == []


def test_a_message_that_is_not_deleted_comes_back_when_its_time_is_up(endpoint: str) -> None:
    with closing(fresh_queue(endpoint, attributes={"VisibilityTimeout": "1"})) as queue:
        send(queue, "a")
        (first,) = queue.call("ReceiveMessage", {"AttributeNames": ["All"]})["Messages"]
        assert receive(queue) == []
        again = receive_soon(queue)
        assert (again[0]["MessageId"], again[0]["Body"]) == (first["MessageId"], "a")
        assert (received_times(first), received_times(again[0])) == (1, 2)


def test_every_receiving_is_counted_and_hands_out_a_new_receipt(queue: QueueClient) -> None:
    send(queue, "a")
    handed_out = [message for _ in range(3) for message in receive(queue, visibility_seconds=0)]
    assert [received_times(message) for message in handed_out] == [1, 2, 3]
    assert len({message["ReceiptHandle"] for message in handed_out}) == 3
    assert len({message["MessageId"] for message in handed_out}) == 1


def test_a_message_that_is_received_too_often_becomes_a_dead_letter(endpoint: str) -> None:
    with closing(fresh_queue(endpoint)) as dead:
        found = dead.call("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})
        attributes = sqs.attributes(found["Attributes"]["QueueArn"], 0, max_receives=5)
        with closing(fresh_queue(endpoint, attributes=attributes)) as queue:
            send(queue, "poison")
            seen = [message["Body"] for _ in range(5) for message in receive(queue, 0)]
            assert seen == ["poison"] * 5
            assert receive(queue, 0) == []
        assert [letter["Body"] for letter in receive_soon(dead)] == ["poison"]


def test_what_is_deleted_is_gone_and_the_rest_stays(queue: QueueClient) -> None:
    send(queue, "a", "b", "c")
    first = receive(queue, visibility_seconds=1)
    answer = delete(queue, *(message["ReceiptHandle"] for message in first if message["Body"] != "b"))
    assert len(answer["Successful"]) == 2
    assert [message["Body"] for message in receive_soon(queue)] == ["b"]


def test_a_batch_of_deletes_says_which_receipts_are_unknown_and_deletes_the_others(
    queue: QueueClient,
) -> None:
    send(queue, "a")
    answer = delete(queue, "no such receipt", receive(queue, visibility_seconds=0)[0]["ReceiptHandle"])
    assert [entry["Id"] for entry in answer["Successful"]] == ["1"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("0", "ReceiptHandleIsInvalid")]
    assert receive(queue) == []


def test_deleting_by_an_unknown_receipt_is_refused(queue: QueueClient) -> None:
    with pytest.raises(AwsRefused) as caught:
        queue.call("DeleteMessage", {"ReceiptHandle": "no such receipt"})
    assert "ReceiptHandleIsInvalid" in caught.value.code


def hide(queue: QueueClient, *waits: tuple[str, int]) -> dict[str, Any]:
    entries = [
        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        for number, (receipt, seconds) in enumerate(waits)
    ]
    return queue.call("ChangeMessageVisibilityBatch", {"Entries": entries})


def test_a_batch_of_visibility_changes_hides_each_message_for_its_own_time(queue: QueueClient) -> None:
    send(queue, "a", "b", "c")
    receipts = {message["Body"]: message["ReceiptHandle"] for message in receive(queue)}
    answer = hide(queue, (receipts["a"], 0), ("no such receipt", 0), (receipts["c"], 900))
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "2"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("1", "ReceiptHandleIsInvalid")]
    assert [message["Body"] for message in receive(queue)] == ["a"]


def test_messages_come_again_after_the_time_that_they_were_given(queue: QueueClient) -> None:
    send(queue, *(str(number) for number in range(25)))
    found = [message for _ in range(4) for message in receive(queue, 900)]
    returns = Returns(queue)
    assert returns.delay([(message["ReceiptHandle"], 0) for message in found]) == 0
    assert len({message["Body"] for _ in range(4) for message in receive(queue)}) == len(found) == 25
    assert returns.delay([("no such receipt", 0)]) == 1


def test_what_is_buried_is_on_the_dead_letter_queue_with_what_is_said_about_it(endpoint: str) -> None:
    with closing(fresh_queue(endpoint)) as dead:
        found = dead.call("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})
        attributes = sqs.attributes(found["Attributes"]["QueueArn"], 30)
        with closing(fresh_queue(endpoint, attributes=attributes)) as queue:
            returns = Returns(queue)
            returns.bury("poison", {"reason": "undecodable"}, "7")
            returns.bury("more", {"reason": "a bug"})
            assert receive(queue) == []
        wanted = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        letters = dead.call("ReceiveMessage", wanted)["Messages"]
    told = {each["Body"]: each["MessageAttributes"]["reason"]["StringValue"] for each in letters}
    assert told == {"poison": "undecodable", "more": "a bug"}


def test_nothing_can_be_buried_without_a_redrive_policy(queue: QueueClient) -> None:
    with pytest.raises(AwsRefused, match="no redrive policy"):
        Returns(queue).bury("poison", {"reason": "undecodable"})
