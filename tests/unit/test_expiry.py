"""The scheduled end of holds, against a ledger and a gate that only take notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.expiry import BATCH, MAX_BATCHES, expire
from chalicelib.services import Services
from tests.support.batches import services_with
from tests.support.events import NOON


class Ledger:
    """Expires what it is told to, a batch a call; an exception among the batches is raised."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self.batches = batches
        self.asked: list[tuple[datetime, int]] = []

    def expire_due(self, now: datetime, limit: int) -> dict[int, int]:
        """The next batch, and nothing after the last."""
        self.asked.append((now, limit))
        batch: Any = next(self.batches, {})
        if isinstance(batch, Exception):
            raise batch
        return dict(batch)


class Gate:
    """Notes which events it was surveyed for; it has none loaded."""

    def __init__(self, down: bool = False) -> None:
        self.down = down
        self.surveyed: list[int] = []

    def survey(self, event_id: int) -> None:
        """Notes the event."""
        self.surveyed.append(event_id)
        if self.down:
            raise Unavailable("gate", "down")


def expiring(*batches: Any, gate_down: bool = False) -> tuple[Services, Ledger, Gate]:
    ledger, gate = Ledger(iter(batches)), Gate(gate_down)
    return services_with(ledger, gate), ledger, gate


def test_batches_are_expired_until_nothing_is_due() -> None:
    services, ledger, gate = expiring({1: 400, 2: 100}, {1: 3})
    assert expire(services) == {"expired": 503, "events": 2}
    assert ledger.asked == [(NOON, BATCH)] * 3
    assert gate.surveyed == [1, 2]


def test_nothing_due_touches_no_gate() -> None:
    services, _, gate = expiring()
    assert expire(services) == {"expired": 0, "events": 0}
    assert gate.surveyed == []


def test_what_was_expired_before_the_ledger_went_down_is_back_on_sale() -> None:
    services, _, gate = expiring({7: 500}, Unavailable("ledger", "down"))
    with pytest.raises(Unavailable):
        expire(services)
    assert gate.surveyed == [7]


def test_a_gate_that_is_down_keeps_nothing_from_expiring() -> None:
    services, _, gate = expiring({1: 1, 2: 1}, gate_down=True)
    assert expire(services) == {"expired": 2, "events": 2}
    assert gate.surveyed == [1, 2]


def test_one_run_is_bounded() -> None:
    services, ledger, _ = expiring(*({1: 1} for _ in range(MAX_BATCHES + 5)))
    assert expire(services)["expired"] == MAX_BATCHES
    assert len(ledger.asked) == MAX_BATCHES
