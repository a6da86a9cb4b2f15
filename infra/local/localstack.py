"""SQS from a LocalStack that somebody else runs at port 4566: makes the two queues there. Starts nothing."""

from __future__ import annotations

from infra.local import sqs
from infra.local.layout import LOOPBACK, answers

PORT = 4566


class NotThere(RuntimeError):
    """Nobody listens at LocalStack's port. The message says what to do."""


def make_queues(visibility_seconds: int, port: int = PORT) -> sqs.Queues:
    """Creates the order queue and its dead letters, and returns where they are. Raises NotThere."""
    if not answers(port):
        raise NotThere(
            f"Nothing listens at 127.0.0.1:{port}. Start LocalStack with"
            " `docker compose -f docker-compose.localstack.yml up -d`, then try again."
        )
    import localstack_client.session

    region = sqs.CREDENTIALS["AWS_REGION"]
    endpoint = f"http://{LOOPBACK}:{port}"
    client = localstack_client.session.Session(region_name=region).client("sqs", endpoint_url=endpoint)
    dead = client.create_queue(QueueName=sqs.DEAD_LETTER_QUEUE)["QueueUrl"]
    found = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    wanted = sqs.attributes(found["Attributes"]["QueueArn"], visibility_seconds)
    client.create_queue(QueueName=sqs.ORDER_QUEUE)
    orders = f"{endpoint}/000000000000/{sqs.ORDER_QUEUE}"
    client.set_queue_attributes(QueueUrl=orders, Attributes=wanted)
    return sqs.Queues(endpoint, orders, f"{endpoint}/000000000000/{sqs.DEAD_LETTER_QUEUE}")
