"""A real SQS for tests: the emulator on a port of its own, and LocalStack where it is already up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from chalicelib.queue.client import QueueClient
from chalicelib.queue.sigv4 import Credentials
from tests.support.waiting import free_port, until

LOCALSTACK_PORT = 4566
ANYBODY = Credentials("test", "test")
_EMULATOR = Path(sys.prefix) / "emulator" / "bin" / "python"


@contextmanager
def sqs_server() -> Iterator[str]:
    """Runs the emulator on a free port until the block ends; yields its address."""
    port = free_port()
    command = [str(_EMULATOR), "-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "ministack.app:app"]
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "GATEWAY_PORT": str(port)}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(port) or server.poll() is not None, "the emulator listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def fresh_queue(endpoint: str, credentials: Credentials = ANYBODY) -> QueueClient:
    """Makes a standard queue of its own name; the caller closes the client."""
    url = f"{endpoint}/000000000000/orders-{uuid4().hex}"
    client = QueueClient(url, "us-east-1", lambda: credentials, timeout_ms=10_000)
    client.call("CreateQueue", {"QueueName": url.rpartition("/")[2]})
    return client


def listens(port: int) -> bool:
    """Whether anybody takes connections at this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
