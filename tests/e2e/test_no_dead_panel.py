"""No dead panel: after a rush, and after everything that can be refused was refused, every graph has data."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.local import sqs
from infra.local.cloudwatch.definitions import MetricAlarm, alarms, dashboard
from tests.support.batches import an_order_of
from tests.support.dashboards import Dashboard, drawn
from tests.support.metrics import answers, query
from tests.support.stack import Answer, Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60
"""Gauges come with the schedule, and holds have to expire."""


@pytest.fixture(scope="module")
def rushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("panels")).background() as stack:
        stack.rush(tickets=200, buyers=600)
        be_refused(stack)
        live_every_life(stack)
        yield stack


def event(stack: Stack, **draft: Any) -> int:
    """An event with ten tickets, if nothing else is said."""
    given = {"name": "x", "description": "", "totalTickets": 10, **draft}
    answer = stack.call("POST", "/events", given)
    assert answer.status == 201, answer.json
    return int(answer.json["id"])


def order(stack: Stack, event_id: int, quantity: int = 1, user: str = "u") -> Answer:
    """An order, refused or not."""
    wish = {"eventId": event_id, "quantity": quantity, "userId": user}
    return stack.call("POST", "/orders", wish)


def be_refused(stack: Stack) -> None:
    """Hears every code at the door that the dashboard draws; sold-out has come with the rush."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    not_open, limited = event(stack, salesOpenAt=tomorrow), event(stack, maxPerOrder=1)
    paused, closed, hasty = event(stack), event(stack), event(stack, buyerRateLimit=1)
    assert stack.call("POST", f"/events/{paused}/pause").status == 200
    assert stack.call("POST", f"/events/{closed}/close").status == 200
    order(stack, hasty)
    refusals = [
        order(stack, event(stack), quantity=11),
        order(stack, not_open),
        order(stack, limited, quantity=2),
        order(stack, paused),
        order(stack, closed),
        order(stack, hasty),
    ]
    assert [refusal.json["code"] for refusal in refusals] == [
        "not-enough-tickets",
        "sale-not-open",
        "order-limit-exceeded",
        "sale-paused",
        "sale-closed",
        "rate-limited",
    ]


def live_every_life(stack: Stack) -> None:
    """Orders that are replayed, rejected, cancelled, reserved and expired."""
    plain, held = event(stack), event(stack, holdSeconds=1)
    send_past_the_gate(stack, plain, quantity=11)
    for _ in range(2):
        wish = {"eventId": plain, "quantity": 1, "userId": "again"}
        replayed = stack.call("POST", "/orders", wish, **{"Idempotency-Key": "the-same"})
        assert replayed.status == 202
    expired, cancelled = order(stack, held), order(stack, held, user="v")
    assert expired.status == cancelled.status == 202
    assert stack.call("DELETE", cancelled.headers["location"]).status == 200


def send_past_the_gate(stack: Stack, event_id: int, quantity: int) -> None:
    """An order that the gate would refuse: only the ledger can reject one that it let in."""
    (kind,) = stack.call("GET", f"/events/{event_id}").json["ticketTypes"]
    placed = an_order_of(event_id, (kind["id"], quantity))
    now = msgspec.structs.replace(placed, accepted_at_ms=int(time.time() * 1_000))
    with closing(sqs.client(stack.state["sqs"]["queueUrl"])) as queue:
        queue.call("SendMessage", {"MessageBody": msgspec.json.encode(now).decode()})


def silent(stack: Stack, wanted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those without a single point."""
    found = answers(stack, list(wanted.values()))
    return [what for what, asked in wanted.items() if not found[asked["id"]]]


def test_every_metric_of_the_dashboard_has_data(rushed: Stack) -> None:
    body = msgspec.json.decode(dashboard("${Stage}").replace("us-east-1", "${AWS::Region}"), type=Dashboard)
    wanted = {}
    for number, one in enumerate(drawn(body)):
        dimensions = {name: value.replace("${Stage}", "local") for name, value in one.dimensions}
        what = f"{one.title}: {one.namespace} {one.name} {one.rendering.stat} {dimensions}"
        wanted[what] = query(
            one.namespace, one.name, dimensions, one.rendering.stat, one.period, f"q{number}"
        )
    assert len(wanted) > 40
    until_none_is_silent(rushed, wanted)


def test_every_alarm_has_data_and_can_tell(rushed: Stack) -> None:
    plain = [alarm for alarm in alarms("local") if isinstance(alarm, MetricAlarm)]
    wanted = {
        alarm.alarm_name: query(
            alarm.namespace,
            alarm.metric_name,
            {each.name: each.value for each in alarm.dimensions},
            alarm.chosen,
            alarm.period,
            f"q{number}",
        )
        for number, alarm in enumerate(plain)
    }
    until_none_is_silent(rushed, wanted)

    def undecided() -> list[str]:
        items = rushed.call("GET", "/ops/alarms").json["items"]
        return [item["name"] for item in items if item["state"] == "INSUFFICIENT_DATA"]

    until(lambda: undecided() == [], "every alarm can tell")


def until_none_is_silent(stack: Stack, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Fails with the list of those that stay silent."""
    try:
        until(lambda: silent(stack, wanted) == [], "nothing is silent", PATIENCE_SECONDS)
    except AssertionError as error:
        raise AssertionError("no data: " + "; ".join(silent(stack, wanted))) from error


def test_a_metric_that_nobody_measures_would_be_found(rushed: Stack) -> None:
    """The negative control."""
    nobody = query("Onsale", "MeasuredByNobody", {"Stage": "local"})
    assert silent(rushed, {"nobody": nobody}) == ["nobody"]
