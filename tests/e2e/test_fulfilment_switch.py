"""An operator pauses fulfilment on a running stack: orders are accepted and wait, and are decided later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

WORKERS, BATCH_SIZE = 2, 100
PAUSED_SECONDS = 4.0
"""Much longer than an order takes that nothing holds up, and than one may be overdue on this stack."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("switched")).background() as running:
        yield running


def queue(stack: Stack) -> Any:
    answer = stack.call("GET", "/ops/queue")
    assert answer.status == 200, answer
    return answer.json


def switched(stack: Stack, verb: str, state: str) -> None:
    answer = stack.call("POST", f"/ops/fulfilment/{verb}", {"reason": "a test"})
    assert answer.status == 200, answer
    until(lambda: queue(stack)["fulfilment"]["state"] == state, f"fulfilment is {state}")


def accepted(stack: Stack, event_id: int, buyers: list[str]) -> list[str]:
    answers = [
        stack.call("POST", "/orders", {"eventId": event_id, "quantity": 1, "userId": buyer})
        for buyer in buyers
    ]
    assert {answer.status for answer in answers} == {202}
    return [answer.json["id"] for answer in answers]


def statuses(stack: Stack, orders: list[str]) -> set[str]:
    return {stack.call("GET", f"/orders/{order}").json["status"] for order in orders}


def test_paused_orders_wait_and_resumed_ones_are_decided(stack: Stack) -> None:
    draft = {"name": "x", "description": "", "totalTickets": 10}
    event_id = stack.call("POST", "/events", draft).json["id"]
    control = accepted(stack, event_id, ["ann", "bob"])
    until(lambda: statuses(stack, control) == {"confirmed"}, "orders are decided while nothing is paused")

    switched(stack, "pause", "Disabled")
    waiting = accepted(stack, event_id, ["cid", "dot", "eve"])
    until(lambda: queue(stack)["oldestAgeSeconds"] > PAUSED_SECONDS, "the orders have waited")
    assert statuses(stack, waiting) == {"pending"}
    assert queue(stack)["waiting"] == len(waiting)
    sale = stack.call("GET", f"/ops/events/{event_id}/sale").json
    assert (sale["sold"], sale["pending"], sale["available"], sale["gap"]) == (2, 3, 5, 0)

    switched(stack, "resume", "Enabled")
    until(lambda: statuses(stack, waiting) == {"confirmed"}, "the orders are decided")
    assert queue(stack)["oldestAgeSeconds"] == 0


def test_the_figures_in_effect_are_the_apps_and_the_stacks(stack: Stack) -> None:
    found = queue(stack)["fulfilment"]
    assert (found["batchSize"], found["windowSeconds"]) == (BATCH_SIZE, 1)
    assert found["maximumConcurrency"] == WORKERS


def test_a_pause_outlives_the_stack_which_stops_without_waiting_for_the_orders(stack: Stack) -> None:
    draft = {"name": "x", "description": "", "totalTickets": 10}
    event_id = stack.call("POST", "/events", draft).json["id"]
    switched(stack, "pause", "Disabled")
    orders = accepted(stack, event_id, ["ann"])
    assert stack.down().returncode == 0
    assert stack.up().returncode == 0
    assert queue(stack)["fulfilment"]["state"] == "Disabled"
    assert statuses(stack, orders) == {"pending"}
    switched(stack, "resume", "Enabled")
    until(lambda: statuses(stack, orders) == {"confirmed"}, "the order is decided")


def test_the_state_file_is_below_the_state_directory(stack: Stack) -> None:
    assert (Path(stack.folder) / "event-source-mapping.json").exists()
