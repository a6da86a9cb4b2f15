"""What operators do from a terminal: watch a sale, pause it, resume it, end it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def event_id(stack: Stack) -> int:
    """An event of its own, the newest there is."""
    draft = {"name": "Tour", "description": "", "totalTickets": 10}
    made: int = stack.call("POST", "/events", draft).json["id"]
    return made


def order(stack: Stack, event_id: int) -> Any:
    return stack.call("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": "ann"})


def said(stack: Stack, *words: str) -> str:
    done = stack.infra(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_sale_is_paused_and_resumed(stack: Stack, event_id: int) -> None:
    assert said(stack, "pause", str(event_id)) == f"event {event_id}  paused"
    assert order(stack, event_id).json["code"] == "sale-paused"
    assert json.loads(said(stack, "resume", str(event_id), "--json"))["status"] == "on-sale"
    assert order(stack, event_id).status == 202


def test_a_sale_is_closed_only_after_a_yes(stack: Stack, event_id: int) -> None:
    unsure = stack.infra("close", str(event_id))
    assert unsure.returncode == 1
    assert "Tour" in unsure.stderr
    assert order(stack, event_id).status == 202
    assert said(stack, "close", str(event_id), "--yes") == f"event {event_id}  closed"
    assert order(stack, event_id).json["code"] == "sale-closed"
    again = stack.infra("resume", str(event_id))
    assert (again.returncode, "closed for good" in again.stderr) == (1, True)


def test_one_look_is_one_json_object(stack: Stack, event_id: int) -> None:
    assert order(stack, event_id).status == 202
    found = json.loads(said(stack, "top", str(event_id), "--json"))
    assert set(found) == {"at", "sale", "queue", "alarms", "latencies", "missing"}
    assert (found["sale"]["eventId"], found["sale"]["capacity"], found["sale"]["gap"]) == (event_id, 10, 0)
    assert found["queue"]["fulfilment"]["state"]


def test_one_frame_of_the_newest_event_that_sells_is_drawn(stack: Stack, event_id: int) -> None:
    drawn = said(stack, "top", "--once")
    assert f"event {event_id}  Tour  on-sale" in drawn
    assert "10 = sold 0 + reserved 0 + pending 0 + available 10" in drawn


def read_on(terminal: int, seen: bytearray) -> None:
    """Reads all that is drawn, until the terminal is closed: who draws must never wait for a reader."""
    with suppress(OSError):
        while drawn := os.read(terminal, 65_536):
            seen.extend(drawn)


def test_the_live_view_goes_on_until_somebody_ends_it(stack: Stack, event_id: int, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ["top", str(event_id), "--every", "0.2", "--state-dir", str(stack.folder)]
    watching = subprocess.Popen(
        [sys.executable, "-m", "infra", *words],
        env={**os.environ, "COLUMNS": "120", "LINES": "40", "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = bytearray()
    reading = threading.Thread(target=read_on, args=(ours, seen))
    reading.start()
    try:
        until(lambda: b"available 10" in seen, "the sale is drawn", 30)
        assert order(stack, event_id).status == 202
        sold = b"sold 1 + reserved 0 + pending 0 + available 9"
        until(lambda: sold in seen, "the sold ticket is drawn", 30)
        watching.send_signal(signal.SIGINT)
        until(lambda: watching.poll() is not None, "it ends")
        assert watching.returncode == 0
    finally:
        watching.kill()
        watching.wait()
        reading.join()
        os.close(ours)
