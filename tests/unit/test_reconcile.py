"""The reconciler: lost messages, missed terms and a wrong stock are mended, once; a right one is left."""

from __future__ import annotations

import json

import pytest

from chalicelib.admission import place
from chalicelib.errors import Rejected
from chalicelib.log import set_level
from chalicelib.model import Event, FailedMessage
from chalicelib.queue.messages import decode
from chalicelib.reconcile import reconcile
from tests.fakes.services import Down, MemoryServices
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


def test_what_waits_because_fulfilment_is_paused_is_not_put_on_the_queue_again(
    services: MemoryServices, event: Event
) -> None:
    place(services, an_intent(2))
    services.fulfilment.switch(enabled=False)
    assert reconcile(services, OVERDUE)["requeued"] == 0
    services.fulfilment.switch(enabled=True)
    assert reconcile(services, OVERDUE)["requeued"] == 1


@pytest.mark.parametrize("fulfilment", [None, Down("fulfilment")], ids=["no mapping", "no answer"])
def test_a_pause_that_nobody_is_sure_of_keeps_no_order_from_the_queue(
    services: MemoryServices, event: Event, fulfilment: Down | None
) -> None:
    place(services, an_intent(2))
    services.fulfilment = fulfilment
    assert reconcile(services, OVERDUE)["requeued"] == 1


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


def test_an_order_that_is_a_dead_letter_is_left_where_it_is_until_it_is_redriven(
    services: MemoryServices, event: Event
) -> None:
    order = place(services, an_intent(2)).order
    (body,) = services.queue.bodies
    services.queue.bodies.clear()
    (message_id,) = services.bury(body)
    assert reconcile(services, OVERDUE)["requeued"] == 0
    services.ledger.mark_redriven([message_id], services.clock())
    assert reconcile(services, OVERDUE)["requeued"] == 1, "what was redriven and got lost is found again"
    assert decode(services.queue.bodies[0]) == order


def test_a_message_that_still_fails_or_cannot_be_read_keeps_no_claim_from_its_turn(
    services: MemoryServices, event: Event
) -> None:
    order = place(services, an_intent(2)).order
    services.bury(services.queue.bodies[0][:-20])
    failing = FailedMessage(message_id="m", body="", reason="a bug", receive_count=1, order_id=order.order_id)
    services.ledger.count_failures([failing], services.clock())
    assert reconcile(services, OVERDUE)["requeued"] == 1


def test_the_claim_of_a_decided_order_is_sent_again_although_a_copy_lies_dead(
    services: MemoryServices, event: Event
) -> None:
    placed = place(services, an_intent(2)).order
    services.bury(*services.queue.bodies)
    services.ledger.cancel_undecided(placed, services.clock())
    assert reconcile(services, OVERDUE)["requeued"] == 1, "so that its claim is settled"


def test_a_crowd_of_dead_letters_stands_in_nobodys_way(
    services: MemoryServices, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.reconcile.BATCH", 2)
    for buyer in "abcde":
        place(services, an_intent(1, user=buyer))
    *dead, alive = services.queue.bodies
    services.queue.bodies.clear()
    services.bury(*dead)
    event_id = event.id
    waiting = services.gate._waiting[event_id]
    waiting.update({order_id: place for place, order_id in enumerate(waiting)})
    assert reconcile(services, NOT_OVERDUE)["requeued"] == 1
    assert services.queue.bodies == [alive]
    monkeypatch.setattr("chalicelib.reconcile.ROUNDS", 1)
    waiting.update({order_id: place for place, order_id in enumerate(waiting)})
    assert reconcile(services, NOT_OVERDUE)["requeued"] == 0, "control: one batch of dead ones is the turn"
