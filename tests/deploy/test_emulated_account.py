"""One emulated account: stages live on it without a word of each other, and go without a trace."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import valkey
from click.testing import CliRunner

from infra.commands.emulator import emulator
from infra.emulator import running
from infra.local.children import Identity
from infra.local.tenancy import leftovers
from tests.deploy.test_sold_out import functions
from tests.support.deployed import Deployed
from tests.support.stack import call, gone
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


def test_functions_have_the_zip_and_nothing_of_this_checkout_or_this_shell(stack: Deployed) -> None:
    assert stack.call("GET", "/health").status == 200
    unpacked = running.layout_at(stack.state_dir).root / "aws" / "unpacked"
    for process in functions(stack):
        variables = process.environ()
        assert "PYTHONPATH" not in variables
        assert "PYTEST_CURRENT_TEST" not in variables, "which every process has that inherits from a test"
        assert unpacked in Path(process.cwd()).parents


def test_only_the_paths_of_the_api_lead_to_it(stack: Deployed) -> None:
    answer = call("GET", f"{stack.url.removesuffix('/api')}/health")
    assert (answer.status, answer.json["message"]) == (403, "An address of this API begins with /api/.")


def test_status_tells_where_each_stage_is(stack: Deployed) -> None:
    told = CliRunner().invoke(emulator, ["status", "--json", "--state-dir", str(stack.state_dir)])
    found = json.loads(told.stdout)
    assert found["emulator"]["aws"] == stack.account.endpoint_url
    assert found[stack.stage] == {
        "api": stack.url,
        "postgres": stack.dsn,
        "valkey": stack.account.facts["valkey_url"],
    }


def test_without_an_emulator_status_says_how_to_start_one(tmp_path: Path) -> None:
    told = CliRunner().invoke(emulator, ["status", "--state-dir", str(tmp_path)])
    assert told.exit_code == 1
    assert "`python -m infra emulator start`" in told.stderr
    stopped = CliRunner().invoke(emulator, ["stop", "--state-dir", str(tmp_path)])
    assert (stopped.exit_code, stopped.stdout) == (0, "No emulator runs.\n")


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
