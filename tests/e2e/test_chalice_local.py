"""Chalice's own local server beside a running stack, started as the README says."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.layout import CHECKOUT, free_port
from tests.support.stack import STOP_SECONDS, Stack, call
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def chalice_local(stack: Stack, log: Path) -> Iterator[str]:
    """Runs it on a free port with the stack's settings until the block ends; yields its address."""
    port = free_port()
    python = shlex.quote(sys.executable)
    settings = f'eval "$({python} -m infra env --state-dir {shlex.quote(str(stack.folder))})"'
    chalice = shlex.quote(str(Path(sys.prefix) / "bin" / "chalice"))
    typed = f"{settings} && exec {chalice} local --no-autoreload --port {port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["sh", "-c", typed], cwd=CHECKOUT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(STOP_SECONDS)


def answers(url: str) -> bool:
    try:
        return call("GET", f"{url}/health").status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def test_an_order_placed_through_chalice_local_is_confirmed(stack: Stack, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with chalice_local(stack, log) as url:
        until(lambda: answers(url), "chalice local answers")
        event = call("POST", f"{url}/events", {"name": "x", "description": "d", "totalTickets": 1}).json
        placed = call("POST", f"{url}/orders", {"eventId": event["id"], "quantity": 1, "userId": "u"})
        assert placed.status == 202, log.read_text()
        where = f"{url}{placed.headers['location']}"
        until(lambda: call("GET", where).json["status"] == "confirmed", "the order is confirmed")
