"""kill -9 of any process in the middle of a rush: nobody who got 202 is forgotten, nothing is sold twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from infra.rush.result import RushResult
from tests.support.stack import Stack, broken_promises, gone
from tests.support.waiting import until

pytestmark = pytest.mark.slow

VICTIMS: dict[str, Callable[[dict[str, Any]], int]] = {
    "a gateway process": lambda status: int(status["http"]["pids"][1]),
    "the gateway's parent": lambda status: int(status["http"]["pids"][0]),
    "a worker": lambda status: int(status["worker"]["pids"][0]),
}


def rush_with_a_killing(stack: Stack, victim: int) -> RushResult:
    result = stack.rush_with_a_fault(lambda: os.kill(victim, signal.SIGKILL), tickets=1_000, buyers=5_000)
    assert gone({victim})
    until(stack.answers, "the service is whole again")
    return result


@pytest.mark.parametrize("victim", VICTIMS)
def test_all_tickets_are_sold_once_although_something_was_killed(stack: Stack, victim: str) -> None:
    result = rush_with_a_killing(stack, VICTIMS[victim](stack.status()))
    assert broken_promises(result) == []
    assert result.confirmed_tickets == 1_000
    assert result.undecided == 0


def test_the_claims_bring_back_what_a_killed_queue_has_forgotten(stack: Stack) -> None:
    result = rush_with_a_killing(stack, stack.status()["sqs"]["pid"])
    assert broken_promises(result) == []
    assert result.undecided == 0
