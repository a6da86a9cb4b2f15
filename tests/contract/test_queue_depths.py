"""How much lies on the queues: the stack's own SQS, and LocalStack where it is up, tell it alike."""

from __future__ import annotations

from contextlib import closing

import pytest

from chalicelib.aws.answers import AwsRefused
from chalicelib.queue.client import QueueClient
from chalicelib.queue.depths import Depth, Depths
from chalicelib.queue.returns import Returns
from infra.local import sqs
from tests.support.sqs import fresh_queue
from tests.support.waiting import until


def depths_of(queue: QueueClient) -> Depths:
    return Depths(queue, Returns(queue).dead_letter_url)


def test_messages_are_counted_where_they_are(endpoint: str) -> None:
    with closing(fresh_queue(endpoint)) as dead:
        found = dead.call("GetQueueAttributes", {"AttributeNames": ["QueueArn"]})
        attributes = sqs.attributes(found["Attributes"]["QueueArn"], 30)
        with closing(fresh_queue(endpoint, attributes=attributes)) as queue:
            depths = depths_of(queue)
            assert (depths.orders(), depths.dead_letters()) == (Depth(0, 0, 0), Depth(0, 0, 0))
            for body in ("a", "b", "c"):
                queue.call("SendMessage", {"MessageBody": body})
            queue.call("SendMessage", {"MessageBody": "later", "DelaySeconds": 60})
            Returns(queue).bury("poison", {"reason": "undecodable"}, "7")
            until(lambda: depths.orders() == Depth(3, 0, 1), "all are counted")
            queue.call("ReceiveMessage", {"MaxNumberOfMessages": 1, "VisibilityTimeout": 30})
            until(lambda: depths.orders() == Depth(2, 1, 1), "one is in hand")
            until(lambda: depths.dead_letters() == Depth(1, 0, 0), "one is dead")


def test_a_queue_without_dead_letters_counts_its_own(endpoint: str) -> None:
    with closing(fresh_queue(endpoint)) as queue:
        depths = depths_of(queue)
        assert depths.orders() == Depth(0, 0, 0)
        with pytest.raises(AwsRefused, match="no redrive policy"):
            depths.dead_letters()
