"""A rush on a whole stack, and the report of it, read from the service alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

TICKETS, BUYERS = 200, 1_000


def figures(stack: Stack, event_id: int) -> dict[str, Any]:
    """What `report --json` says."""
    told = stack.infra("report", str(event_id), "--json")
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_a_rush_has_a_report_with_every_figure(stack: Stack) -> None:
    result = stack.rush(tickets=TICKETS, buyers=BUYERS)
    event = result.event_id

    def counted() -> bool:
        """Metrics come a moment after what they count."""
        found = figures(stack, event)["asked"]
        return found is not None and (found["accepted"], found["refused"]) == (
            result.accepted,
            result.refused_total,
        )

    until(counted, "every attempt has been counted")
    until(
        lambda: figures(stack, event)["costs"] is not None, "the fulfilment function's time has been counted"
    )
    found = figures(stack, event)
    assert found["missing"] == []
    assert (found["capacity"], found["sold"]["sold"]) == (TICKETS, TICKETS)
    assert found["certificate"]["holds"]
    assert {one["code"]: one["count"] for one in found["asked"]["byCode"]} == result.refused
    assert found["sold"]["overTime"]["counts"]["total"][-1] == TICKETS
    assert found["asked"]["peak"]["perSecond"] > 0
    assert 0 < found["sold"]["secondsToSellOut"] < 60
    assert len(found["waits"]) == 4

    file = stack.folder / "report.html"
    written = stack.infra("report", str(event), "--out", str(file))
    assert written.returncode == 0, written.stderr
    assert "Every one of the 200 tickets is in exactly one place" in written.stdout
    assert file.read_text().count("<svg") >= 5
