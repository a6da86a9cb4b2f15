"""The reconciler: lost messages, missed terms and a wrong stock are mended, once; a right one is left."""

from __future__ import annotations

import json

import pytest

from chalicelib.admission import place
from chalicelib.errors import Rejected
from chalicelib.log import set_level
from chalicelib.model import Event
from chalicelib.queue.messages import decode
from chalicelib.reconcile import reconcile
from tests.fakes.services import MemoryServices
from tests.support.batches import a_draft
from tests.support.events import an_event, an_intent

OVERDUE, NOT_OVERDUE = -1, 60_000


@pytest.fixture
def services() -> MemoryServices:
    return MemoryServices()


@pytest.fixture
def event(services: MemoryServices) -> Event:
    event: Event = services.ledger.create_event(a_draft(10))
    return event


def test_an_order_whose_message_was_lost_is_put_on_the_queue_again(
    services: MemoryServices, event: Event
) -> None:
    order = place(services, an_intent(2)).order
    services.queue.bodies.clear()
    assert reconcile(services, NOT_OVERDUE) == {"requeued": 0, "realigned": 0}
    assert reconcile(services, OVERDUE) == {"requeued": 1, "realigned": 0}
    assert [decode(body) for body in services.queue.bodies] == [order]


def test_terms_that_the_gate_has_missed_reach_it(services: MemoryServices, event: Event) -> None:
    place(services, an_intent(1))
    services.ledger.update_event(event.id, None, {"max_per_order": 2})
    reconcile(services, NOT_OVERDUE)
    with pytest.raises(Rejected, match="at most 2"):
        place(services, an_intent(3))


def test_a_wrong_stock_is_put_right_and_said(
    services: MemoryServices, event: Event, capfd: pytest.CaptureFixture[str]
) -> None:
    place(services, an_intent(2))
    services.gate.realign(event.id, services.gate.survey(event.id).epoch, {1: 3})
    set_level("warning")
    assert reconcile(services, NOT_OVERDUE) == {"requeued": 0, "realigned": 1}
    (line,) = [json.loads(text) for text in capfd.readouterr().out.splitlines() if "gate-drift" in text]
    assert (line["eventId"], line["tickets"], line["byType"]) == (event.id, 3, {"1": -3})
    assert services.gate.survey(event.id).stock == {1: 8}
    assert reconcile(services, NOT_OVERDUE) == {"requeued": 0, "realigned": 0}


def test_an_event_that_the_ledger_does_not_have_keeps_no_other_from_its_turn(
    services: MemoryServices, event: Event
) -> None:
    stranger = an_event(99)
    services.gate.load(stranger, services.gate.begin_load(99))
    place(services, an_intent(2))
    assert reconcile(services, OVERDUE)["requeued"] == 1
