"""The scheduled look: everything that can be measured is told, whatever else is down."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.admission import place
from chalicelib.log import set_level
from chalicelib.metrics import METRICS
from chalicelib.ops.watch import watch
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import a_draft
from tests.support.emf import faults, lines
from tests.support.events import an_intent

QUEUES = {"QueueDepth", "QueueInFlight", "QueueDelayed", "DeadLetters"}


@pytest.fixture
def services() -> MemoryServices:
    services = MemoryServices()
    services.ledger.create_event(a_draft(10))
    return services


def test_a_service_at_rest_has_nothing_to_show_and_says_so(
    services: MemoryServices, capfd: pytest.CaptureFixture[str]
) -> None:
    assert watch(services) == dict.fromkeys({"BreakerOpen", "OldestAge", *QUEUES}, 0)
    (line,) = lines(capfd.readouterr().out)
    assert faults(line) == []
    assert {name: line[name] for name in METRICS if name in line} == watch(services)


def test_what_lies_on_the_queues_is_counted(services: MemoryServices) -> None:
    place(services, an_intent(1))
    place(services, an_intent(1, user="bob"))
    services.depths.dead = 3
    found = watch(services)
    assert (found["QueueDepth"], found["DeadLetters"]) == (2, 3)


def test_the_oldest_order_waits_from_its_acceptance_on_however_often_it_is_sent(
    services: MemoryServices,
) -> None:
    order = place(services, an_intent(1)).order
    services.gate._waiting[1][order.order_id] -= 90_000  # as if it had been accepted then
    services.gate.overdue(1, 60_000, 10)
    place(services, an_intent(1, user="bob"))
    assert watch(services)["OldestAge"] == pytest.approx(90, abs=5)
    services.gate.settle(1, [order.order_id], [])
    assert watch(services)["OldestAge"] == pytest.approx(0, abs=5)


@pytest.mark.parametrize(
    ("part", "lost"),
    [("gate", {"OldestAge"}), ("depths", QUEUES), ("ledger", set())],
)
def test_a_part_that_is_down_hides_no_other_and_is_said(
    services: MemoryServices, capfd: pytest.CaptureFixture[str], part: str, lost: set[str]
) -> None:
    set_level("warning")
    whole = set(watch(services))
    capfd.readouterr()
    vars(services)[part] = Down(part)
    assert set(watch(services)) == whole - lost
    said: list[dict[str, Any]] = lines(capfd.readouterr().out)
    set_level("info")
    (told,) = [line for line in said if "_aws" in line]
    assert faults(told) == []
    assert {line["gauge"] for line in said if line["event"] == "not-measured"} <= lost
    assert bool(lost) == (len(said) > 1)
