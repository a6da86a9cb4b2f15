"""One emulated account: stages live on it without a word of each other, and go without a trace."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import valkey

from infra.emulator import running
from infra.local.children import Identity
from infra.local.tenancy import leftovers
from tests.support.deployed import Deployed
from tests.support.stack import gone
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


@pytest.fixture
def other(stack: Deployed) -> Iterator[Deployed]:
    """A second stage, beside the first."""
    deployed = Deployed(stack.state_dir, "other")
    deployed.deploy()
    yield deployed
    if running.running(stack.state_dir, "other"):
        deployed.destroy()


def names_of(stage: Deployed) -> list[str]:
    """Whatever of the account has the stage's name in it."""
    prefix = stage.names.prefix
    found = [
        *(each["FunctionName"] for each in stage.client("lambda").list_functions()["Functions"]),
        *stage.client("sqs").list_queues().get("QueueUrls", []),
        *(each["logGroupName"] for each in stage.client("logs").describe_log_groups()["logGroups"]),
        *(each["Name"] for each in stage.client("events").list_rules()["Rules"]),
        *(each["name"] for each in stage.client("apigateway").get_rest_apis()["items"]),
        *(each["Name"] for each in stage.client("secretsmanager").list_secrets()["SecretList"]),
        *(each["RoleName"] for each in stage.client("iam").list_roles()["Roles"]),
        *(each["AlarmName"] for each in stage.client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(each["DashboardName"] for each in stage.client("cloudwatch").list_dashboards()["DashboardEntries"]),
        *(each["TopicArn"] for each in stage.client("sns").list_topics()["Topics"]),
        *(each["StackName"] for each in stage.client("cloudformation").describe_stacks()["Stacks"]),
    ]
    return sorted(name for name in found if prefix in name or f"onsale/{stage.stage}/" in name)


def listens(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) == 0


def databases(stage: Deployed) -> set[str]:
    with psycopg.connect(stage.dsn, autocommit=True) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def confirmed(stage: Deployed, event_id: int) -> int:
    count = "SELECT count(*) FROM orders WHERE event_id = %s AND status = 'confirmed'"
    return int(stage.rows(count, event_id)[0][0])


def keys(stage: Deployed) -> int:
    """In the stage's own Valkey database."""
    client: Any = valkey.Valkey.from_url(stage.account.facts["valkey_url"])
    try:
        return int(client.dbsize())
    finally:
        client.close()


def test_two_stages_do_not_see_each_others_sales(stack: Deployed, other: Deployed) -> None:
    mine, theirs = stack.event(tickets=1), other.event(tickets=1)
    while theirs < mine:
        theirs = other.event(tickets=1)
    assert theirs == mine, "the first events of a stage have the same ids"
    assert stack.order(mine, "ada").status == other.order(theirs, "ada").status == 202
    assert (stack.order(mine, "bob").status, other.order(theirs, "bob").status) == (409, 409)
    until(lambda: confirmed(stack, mine) == confirmed(other, theirs) == 1, "each has its own order")


def test_a_destroyed_stage_leaves_nothing_and_the_other_goes_on(stack: Deployed, other: Deployed) -> None:
    url, kept, names = other.url, names_of(stack), names_of(other)
    assert len(names) > 30
    other.event()
    assert keys(other) > 0
    other.destroy()
    assert names_of(other) == []
    assert keys(other) == 0
    assert "onsale_other" not in databases(stack)
    until(lambda: not listens(url), "its address is closed")
    assert running.running(stack.state_dir, "other") is None
    assert names_of(stack) == kept
    assert stack.call("GET", "/ready").status == 200


def test_what_is_deployed_comes_back_when_the_emulator_is_started_again(stack: Deployed) -> None:
    event_id = stack.event()
    order_id = stack.order(event_id, "ada").json["id"]
    until(lambda: stack.status_of(order_id) == "confirmed", "the order is confirmed")
    url, kept = stack.url, names_of(stack)
    assert running.stop(stack.state_dir)
    assert running.running(stack.state_dir, stack.stage) is None
    running.start(stack.state_dir)
    found = running.running(stack.state_dir, stack.stage)
    assert found is not None
    assert found.url == url
    until(lambda: listens(url), "it is there again")
    assert names_of(stack) == kept
    assert stack.status_of(order_id) == "confirmed"
    again = stack.order(event_id, "bob").json["id"]
    until(lambda: stack.status_of(again) == "confirmed", "orders are decided as before")
    assert not stack.deploy(), "nothing has to be deployed again"


def test_a_stop_leaves_no_process(stack: Deployed) -> None:
    state = running.layout_at(stack.state_dir).read_state()
    assert state is not None
    parts: list[Identity] = leftovers(state)
    assert {part.name for part in parts} == {"aws", "front", "postgres", "valkey"}
    running.stop(stack.state_dir)
    try:
        assert gone({part.pid for part in parts} | {state["supervisor"]["pid"]})
    finally:
        running.start(stack.state_dir)
