"""`up` in the foreground, from `ready` to Ctrl-C: the seed's client is served, nothing accepted is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.rush.ledger import read_ledger
from tests.support.stack import STOP_SECONDS, Answer, Stack, gone
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """The processes stand still inside the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def create_event(stack: Stack, tickets: int = 1_000) -> int:
    """An event, in the form that a client of the seed sends."""
    draft = {"name": "x", "description": "d", "totalTickets": tickets}
    answer = stack.call("POST", "/events", draft)
    assert answer.status == 201
    return int(answer.json["id"])


def order(stack: Stack, event_id: int, user_id: str = "u") -> Answer:
    """An accepted order, in the form that a client of the seed sends."""
    answer = stack.call("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": user_id})
    assert answer.status == 202
    assert answer.headers["location"].endswith(f"/orders/{answer.json['id']}")
    return answer


def status_of(stack: Stack, accepted: Answer) -> str:
    """What the buyer reads at the Location of their 202."""
    answer = stack.call("GET", accepted.headers["location"])
    assert answer.status == 200
    return str(answer.json["status"])


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C."""
    process.send_signal(signal.SIGINT)


def family(process: subprocess.Popen[str]) -> set[int]:
    """The process and all that it has started."""
    children = psutil.Process(process.pid).children(recursive=True)
    return {process.pid, *(child.pid for child in children)}


def sold(stack: Stack, event_id: int) -> int:
    event: dict[str, Any] = stack.call("GET", f"/events/{event_id}").json
    return int(event["totalTickets"] - event["availableTickets"])


def test_a_client_of_the_seed_is_served(stack: Stack) -> None:
    event_id = create_event(stack)
    accepted = order(stack, event_id)
    until(lambda: status_of(stack, accepted) == "confirmed", "the order is confirmed")
    assert sold(stack, event_id) == 1


def test_an_order_can_be_asked_for_before_the_ledger_knows_it(stack: Stack) -> None:
    event_id = create_event(stack)
    with stopped(stack.status()["worker"]["pids"]):
        accepted = order(stack, event_id)
        assert status_of(stack, accepted) == "pending"
        assert read_ledger(stack.state["postgres"]["dsn"], event_id).orders == ()
    until(lambda: status_of(stack, accepted) == "confirmed", "the order is confirmed")


def test_ctrl_c_decides_what_was_accepted_and_leaves_nothing_behind(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with stack.foreground() as process:
        event_id = create_event(stack)
        accepted = [order(stack, event_id, f"u{number}") for number in range(40)]
        assert "pending" in {status_of(stack, one) for one in accepted}
        everybody = family(process)
        interrupt(process)
        assert process.wait(STOP_SECONDS) == 0
        assert gone(everybody)
    with stack.foreground():
        assert {status_of(stack, one) for one in accepted} == {"confirmed"}
        assert sold(stack, event_id) == len(accepted)


def test_an_impatient_ctrl_c_leaves_the_orders_for_the_next_start(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with stack.foreground() as process:
        event_id = create_event(stack)
        workers = stack.status()["worker"]["pids"]
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        accepted = [order(stack, event_id, f"u{number}") for number in range(40)]
        everybody = family(process)
        interrupt(process)  # it now waits for the workers to decide, and starts none anew
        until(lambda: not stack.answers(), "the door is closed")
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        interrupt(process)
        assert process.wait(STOP_SECONDS) == 0
        assert gone(everybody)
    with stack.foreground():
        until(lambda: {status_of(stack, one) for one in accepted} == {"confirmed"}, "all are decided")
        assert sold(stack, event_id) == len(accepted)
