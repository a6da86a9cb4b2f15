"""A real SQS for tests: the stack's own, on a port of its own, and LocalStack where it is already up."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from chalicelib.aws.sigv4 import Credentials
from chalicelib.queue.client import QueueClient
from infra.local import sqs
from infra.local.layout import free_port
from infra.local.localstack import PORT as LOCALSTACK_PORT
from tests.support.parts import running

LOCALSTACK = f"http://127.0.0.1:{LOCALSTACK_PORT}"
ANYBODY = Credentials("test", "test")


@contextmanager
def sqs_server() -> Iterator[str]:
    """Runs the embedded SQS on a free port until the block ends; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running(sqs.part(Path(folder), port), Path(folder)):
        yield sqs.queues(port).endpoint


def fresh_queue(
    endpoint: str, credentials: Credentials = ANYBODY, attributes: dict[str, str] | None = None
) -> QueueClient:
    """Makes a standard queue of its own name; the caller closes the client."""
    url = f"{endpoint}/000000000000/orders-{uuid4().hex}"
    client = QueueClient(url, "us-east-1", lambda: credentials, timeout_ms=10_000)
    client.call("CreateQueue", {"QueueName": url.rpartition("/")[2], "Attributes": attributes or {}})
    return client


def skip_without_localstack() -> None:
    """Skips the test, with the reason, unless LocalStack answers at its port."""
    try:
        with urllib.request.urlopen(f"{LOCALSTACK}/_localstack/health", timeout=5):
            return
    except (urllib.error.URLError, OSError) as error:
        pytest.skip(f"LocalStack does not answer at {LOCALSTACK}: {error}")
