"""A crowd sells an event out through the packaged functions, and everything adds up afterwards."""

from __future__ import annotations

import psutil
import pytest
from click.testing import CliRunner

from infra.commands.rush import rush
from infra.emulator.aws import EXECUTIONS
from infra.emulator.running import layout_at
from infra.local.tenancy import leftovers
from tests.e2e.test_rush import assert_sold_out
from tests.support.deployed import Deployed

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


def functions(stack: Deployed) -> list[psutil.Process]:
    """The processes that stand for execution environments."""
    state = layout_at(stack.state_dir).read_state()
    assert state is not None
    (aws,) = (found for found in leftovers(state) if found.name == "aws")
    family = psutil.Process(aws.pid).children(recursive=True)
    return [each for each in family if "ministack-lambda-" in " ".join(each.cmdline())]


def test_a_thousand_tickets_sell_out_from_the_zip(stack: Deployed) -> None:
    assert_sold_out(stack.rush(tickets=1_000, buyers=5_000))


def test_the_verb_audits_the_stages_ledger_too(stack: Deployed) -> None:
    words = ["--tickets", "20", "--buyers", "60", "--url", stack.url, "--state-dir", str(stack.state_dir)]
    played = CliRunner().invoke(rush, words)
    assert played.exit_code == 0, played.output
    assert "audit passed" in played.stdout
    assert "no ticket type is oversold in the ledger: 20 of 20 sold" in played.stdout


def test_a_crowd_does_not_become_as_many_processes(stack: Deployed) -> None:
    stack.rush(tickets=20, buyers=200, concurrency=64)
    assert len(functions(stack)) <= EXECUTIONS


def test_messages_come_in_batches_as_large_as_were_asked_for(stack: Deployed) -> None:
    result = stack.rush(tickets=200, buyers=200)
    commits = stack.rows(
        "SELECT count(DISTINCT decided_at) FROM orders WHERE event_id = %s", result.event_id
    )[0][0]
    assert commits < 200 / 2
