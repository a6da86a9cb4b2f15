"""The embedded SQS: what to run, and the two queues that orders travel by. It knows no message.

The emulator (ministack) lives in an environment of its own, because it pins one exact botocore. It is
served by granian with uvloop through `sqs_front.py`, which has the measured reasons. What the queues
hold is written below the state directory when it stops and read when it starts; only kill -9 loses
it, and then the reconciler sends the orders again from their claims.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from chalicelib.aws.credentials import credential_source
from chalicelib.queue.client import QueueClient
from chalicelib.settings import Settings
from infra.local.children import Part
from infra.local.layout import CHECKOUT, LOOPBACK

ORDER_QUEUE = "onsale-local-orders"
DEAD_LETTER_QUEUE = "onsale-local-orders-dead"
DEAD_LETTER_ARN = f"arn:aws:sqs:us-east-1:000000000000:{DEAD_LETTER_QUEUE}"

FUNCTION_TIMEOUT_SECONDS = 15
VISIBILITY_SECONDS = 6 * FUNCTION_TIMEOUT_SECONDS
"""What AWS asks for before a function: six times its timeout (Lambda guide, "Using Lambda with SQS")."""
LOCAL_VISIBILITY_SECONDS = 30
"""Shorter than on AWS, so that the messages of a killed worker come back while somebody watches."""
MAX_RECEIVES = 1_000
"""The most that SQS allows: what buries a message is its own failures, not an outage (decision 0007)."""

CREDENTIALS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""What both emulators take for the account 000000000000."""


@dataclass(frozen=True)
class Queues:
    """Where the order queue and its dead letters are."""

    endpoint: str
    orders: str
    dead_letters: str


def part(data: Path, port: int, visibility_seconds: int = LOCAL_VISIBILITY_SECONDS) -> Part:
    """The emulator on loopback `port`, its state below `data`. Raises FileNotFoundError when absent."""
    granian = ["-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--workers", "1", "--no-ws"]
    address = ["--host", LOOPBACK, "--port", str(port), "--log-level", "warning"]
    environment = {
        **CREDENTIALS,
        "PYTHONPATH": str(CHECKOUT),
        "BIND_HOST": LOOPBACK,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data),
        "LOG_LEVEL": "WARNING",
        "SQS_QUEUES": json.dumps(
            {DEAD_LETTER_QUEUE: {}, ORDER_QUEUE: attributes(DEAD_LETTER_ARN, visibility_seconds)}
        ),
        # Services that would open ports or look for Docker, none of them ours.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }
    return Part(
        name="sqs",
        command=[str(interpreter()), *granian, *address, "infra.local.sqs_front:app"],
        environment=environment,
        stop_signal=signal.SIGTERM,
        ready=lambda: answers(port),
    )


def queues(port: int) -> Queues:
    """The addresses of the embedded queues."""
    endpoint = f"http://{LOOPBACK}:{port}"
    return Queues(
        endpoint, f"{endpoint}/000000000000/{ORDER_QUEUE}", f"{endpoint}/000000000000/{DEAD_LETTER_QUEUE}"
    )


def attributes(
    dead_letter_arn: str, visibility_seconds: int, max_receives: int = MAX_RECEIVES
) -> dict[str, str]:
    """The order queue's attributes, as SetQueueAttributes takes them."""
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": str(max_receives)}
    return {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": json.dumps(redrive)}


def waiting(queue_url: str) -> tuple[int, int]:
    """Messages that wait, and messages that a worker holds. Raises Unavailable when SQS does not answer."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with closing(client(queue_url)) as asking:
        answer = asking.call("GetQueueAttributes", {"AttributeNames": names})
    found = answer.get("Attributes", {})
    return int(found.get(names[0], 0)), int(found.get(names[1], 0))


def client(queue_url: str) -> QueueClient:
    """A client of one embedded queue, with the credentials that the emulators take."""
    key = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    credentials = credential_source(Settings(**key))  # type: ignore[arg-type]
    return QueueClient(queue_url, CREDENTIALS["AWS_REGION"], credentials, timeout_ms=3_000)


def interpreter() -> Path:
    """Python of the environment that has the emulator. Raises FileNotFoundError when it is not installed."""
    found = Path(sys.prefix) / "emulator" / "bin" / "python"
    if not found.exists():
        raise FileNotFoundError("The embedded SQS is not installed; run `make up`, which installs it.")
    return found


def answers(port: int) -> bool:
    """Whether an emulator serves the loopback port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
