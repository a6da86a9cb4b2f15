"""A crowd of five thousand for a thousand tickets, with any number of workers and of deliveries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.layout import CHECKOUT
from infra.rush.ledger import read_ledger
from infra.rush.result import RushResult
from tests.support.stack import Stack, broken_promises
from tests.support.waiting import until

pytestmark = pytest.mark.slow


def assert_sold_out(result: RushResult) -> None:
    assert broken_promises(result) == []
    assert (result.accepted, result.refused) == (1_000, {"sold-out": 4_000})
    assert (result.confirmed, result.confirmed_tickets) == (1_000, 1_000)
    assert (result.rejected_total, result.undecided, result.unknown, result.unsent) == (0, 0, 0, 0)


def test_a_thousand_tickets_sell_out_with_two_workers(stack: Stack) -> None:
    assert_sold_out(stack.rush(tickets=1_000, buyers=5_000))


def test_a_thousand_tickets_sell_out_with_four_workers(tmp_path: Path) -> None:
    with Stack(tmp_path).background("--workers", "4") as stack:
        assert len(stack.status()["worker"]["pids"]) == 4
        assert_sold_out(stack.rush(tickets=1_000, buyers=5_000))


def test_every_message_delivered_three_times_sells_once(tmp_path: Path) -> None:
    with Stack(tmp_path, {"REDELIVER": "3"}).background() as stack:
        result = stack.rush(tickets=1_000, buyers=5_000)
        assert_sold_out(result)
        until(lambda: known_again(tmp_path) >= 2_000, "each has come three times")
        (ticket_type,) = read_ledger(stack.state["postgres"]["dsn"], result.event_id).ticket_types
        assert ticket_type.sold == 1_000


def test_a_rush_leaves_a_history_that_anybody_may_judge(stack: Stack) -> None:
    played = stack.infra("rush", "--tickets", "50", "--buyers", "200")
    assert played.returncode == 0, played.stdout + played.stderr
    file = stack.folder / "history" / "rush.jsonl"
    assert f"history      {file}\n" in played.stdout
    checked = subprocess.run(
        [sys.executable, "-m", "infra", "check-history", str(file)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "note:" not in checked.stdout, "nothing was left unjudged"


def known_again(folder: Path) -> int:
    """Deliveries of orders that had been decided before, by the workers' logs."""
    text = "".join(log.read_text() for log in folder.glob("logs/worker-*.log"))
    lines = (json.loads(line) for line in text.splitlines() if line.endswith("}"))
    return sum(line.get("known", 0) for line in lines)
