"""A running stack is watched: what happens is in its metrics within two seconds; alarms rise and clear."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.metrics import answers, query, total
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SOON_SECONDS = 2.0
API = {"ApiName": "onsale-local"}
STAGE = {"Stage": "local"}


@pytest.fixture
def say(stack: Stack) -> Iterator[Any]:
    """Writes metric lines into a log of its own, as a part of the stack would."""
    log = stack.folder / "logs" / "said-by-a-test.log"

    def write(**values: float) -> None:
        metrics = [{"Name": name, "Unit": "Count", "StorageResolution": 1} for name in values]
        directive = {"Namespace": "Onsale", "Dimensions": [["Stage"]], "Metrics": metrics}
        about = {"Timestamp": int(time.time() * 1_000), "CloudWatchMetrics": [directive]}
        with log.open("a") as file:
            file.write(json.dumps({"event": "said", "_aws": about, **STAGE, **values}) + "\n")

    yield write
    log.unlink()


def test_requests_are_counted_within_two_seconds(stack: Stack) -> None:
    before = total(stack, "AWS/ApiGateway", "Count", API)
    for _ in range(10):
        assert stack.call("GET", "/health").status == 200
    until(
        lambda: total(stack, "AWS/ApiGateway", "Count", API) >= before + 10,
        "ten requests are counted",
        SOON_SECONDS,
    )


def test_what_the_caller_did_wrong_is_4xx_and_no_5xx(stack: Stack) -> None:
    before = [total(stack, "AWS/ApiGateway", name, API) for name in ("4XXError", "5XXError")]
    assert stack.call("GET", "/orders/nonsense").status == 404
    assert stack.call("GET", "/nowhere").status == 404
    until(lambda: total(stack, "AWS/ApiGateway", "4XXError", API) >= before[0] + 2, "they are counted")
    assert total(stack, "AWS/ApiGateway", "5XXError", API) == before[1]


def test_a_line_of_a_log_is_a_metric_within_two_seconds(stack: Stack, say: Any) -> None:
    say(SaidByATest=7)
    until(lambda: total(stack, "Onsale", "SaidByATest", STAGE) == 7, "it is a metric", SOON_SECONDS)


def test_what_aws_measures_by_itself_is_there(stack: Stack) -> None:
    event = stack.call("POST", "/events", {"name": "x", "description": "", "totalTickets": 5}).json
    wish = {"eventId": event["id"], "quantity": 1, "userId": "u"}
    assert stack.call("POST", "/orders", wish).status == 202
    fulfil, door, orders = "onsale-local-fulfil", "onsale-local", "onsale-local-orders"
    wanted = [
        *(
            ("AWS/Lambda", name, {"FunctionName": fulfil})
            for name in ("Invocations", "Duration", "Throttles")
        ),
        ("AWS/Lambda", "Duration", {"FunctionName": door}),
        ("AWS/SQS", "NumberOfMessagesSent", {"QueueName": orders}),
        ("AWS/SQS", "NumberOfMessagesDeleted", {"QueueName": orders}),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": f"{orders}-dead"}),
        ("AWS/RDS", "DatabaseConnections", {"DBClusterIdentifier": "onsale-local"}),
    ]
    queries = [query(*each, name=str(number)) for number, each in enumerate(wanted)]
    until(lambda: all(answers(stack, queries).values()), "each has data")


def states(stack: Stack) -> dict[str, str]:
    alarms = stack.call("GET", "/ops/alarms").json["items"]
    return {alarm["name"].removeprefix("onsale-local-"): alarm["state"] for alarm in alarms}


def test_an_alarm_rises_and_clears_and_so_does_the_one_above_it(stack: Stack, say: Any) -> None:
    say(ConservationGap=1)
    until(lambda: states(stack)["conservation-gap"] == "ALARM", "it rings")
    until(lambda: states(stack)["sale-in-trouble"] == "ALARM", "the sale is in trouble")

    def cleared() -> bool:
        say(ConservationGap=0)
        found = states(stack)
        return {found["conservation-gap"], found["sale-in-trouble"]} == {"OK"}

    until(cleared, "it is over", seconds=40)
    history = stack.call("GET", "/ops/alarms/history").json["items"]
    gap = [item for item in history if item["name"] == "onsale-local-conservation-gap"]
    assert [item["after"] for item in gap][-2:] == ["ALARM", "OK"]


def test_without_cloudwatch_the_page_is_told_and_it_comes_back_with_what_it_knew(
    stack: Stack, say: Any
) -> None:
    say(KnownBefore=3)
    until(lambda: total(stack, "Onsale", "KnownBefore", STAGE) == 3, "it is a metric")
    pid = stack.status()["cloudwatch"]["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: stack.call("GET", "/ops/alarms").status == 503, "the page hears that it is away")
    assert stack.call("GET", "/ready").status == 200, "no order depends on it"
    until(lambda: stack.call("GET", "/ops/alarms").status == 200, "it is back")
    until(lambda: total(stack, "Onsale", "KnownBefore", STAGE) == 3, "it has read the logs again")


def test_the_state_directory_is_enough_to_start_again(tmp_path: Path) -> None:
    """A port that was the control plane's stays its own, beside those of the stores."""
    stack = Stack(tmp_path)
    with stack.background():
        first = stack.status()["cloudwatch"]["url"], stack.state["postgres"]["dsn"]
    with stack.background():
        assert (stack.status()["cloudwatch"]["url"], stack.state["postgres"]["dsn"]) == first
