"""Where an order is found, what a lost memory leaves in doubt, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.admission import availability, place
from chalicelib.cancellation import cancel
from chalicelib.errors import OnsaleError, Rejected, Unavailable, Undecided
from chalicelib.model import Event, Order, OrderPlaced, PaymentNotice, PaymentOutcome
from chalicelib.order_ids import new_order_id
from chalicelib.payments import take
from chalicelib.realign import lasting_picture
from chalicelib.whereabouts import CLOCK_SKEW_MS, ON_THE_WAY_MS, find
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import NotingGate, a_draft
from tests.support.events import an_intent

ANOTHER = "another server"


@pytest.fixture
def services() -> MemoryServices:
    return MemoryServices()


@pytest.fixture
def event(services: MemoryServices) -> Event:
    event: Event = services.ledger.create_event(a_draft(10))
    return event


def now_ms(services: MemoryServices) -> int:
    return round(services.clock().timestamp() * 1_000)


def placed(services: MemoryServices, event: Event) -> OrderPlaced:
    """An order whose id is of this moment."""
    intent = an_intent(event_id=event.id)
    order_id = new_order_id(event.id, now_ms(services))
    return place(services, replace(intent, order_id=order_id)).order


def told(services: MemoryServices, order_id: str) -> type[OnsaleError]:
    """How a question for an order that is nowhere ends."""
    with pytest.raises(OnsaleError) as caught:
        find(services, order_id)
    assert caught.value.code in {"order-not-found", "unavailable"}
    return type(caught.value)


def test_a_pending_order_costs_the_ledger_nothing(services: MemoryServices, event: Event) -> None:
    order = placed(services, event)
    services.ledger = Down("ledger")
    assert find(services, order.order_id) == order


def decide_without_settling(services: MemoryServices) -> None:
    """Decides every order; the gate does not hear of it, as if it had come back from before."""
    gate, services.gate = services.gate, NotingGate()
    services.fulfil()
    services.gate = gate


def test_a_claim_of_an_unloaded_event_is_believed_only_where_the_ledger_has_nothing(
    services: MemoryServices, event: Event
) -> None:
    decided = placed(services, event)
    decide_without_settling(services)
    waiting = placed(services, event)
    assert find(services, decided.order_id) == decided, "the control: nobody doubts it yet"
    services.gate.unload(event.id, ANOTHER)
    found = find(services, decided.order_id)
    assert isinstance(found, Order)
    assert found.status == "confirmed"
    assert find(services, waiting.order_id) == waiting


def test_the_next_question_settles_what_is_decided_and_sells_the_rest_exactly(
    services: MemoryServices, event: Event
) -> None:
    placed(services, event)
    decide_without_settling(services)
    waiting = placed(services, event)
    services.gate.unload(event.id, ANOTHER)
    assert [stock.available for stock in availability(services, event.id)[0]] == [8]
    assert services.gate.pending(event.id, None, 10) == [waiting]
    picture = lasting_picture(services, event.id)
    assert picture is not None
    assert picture.drift() == {}


def test_an_order_that_only_the_queue_has_is_not_denied(services: MemoryServices, event: Event) -> None:
    order = placed(services, event)
    services.wipe_gate()
    assert told(services, order.order_id) is Undecided
    availability(services, event.id)
    assert told(services, order.order_id) is Undecided
    with pytest.raises(Undecided):
        cancel(services, order.order_id)
    services.fulfil()
    assert isinstance(find(services, order.order_id), Order)
    assert cancel(services, order.order_id).status == "cancelled"


def test_a_payment_for_it_is_asked_to_come_again(services: MemoryServices, event: Event) -> None:
    order = placed(services, event)
    services.wipe_gate()
    notice = PaymentNotice(
        reference="p1",
        order_id=order.order_id,
        amount=500,
        currency="EUR",
        outcome=PaymentOutcome.SUCCEEDED,
    )
    with pytest.raises(Undecided):
        take(services, notice)


def test_what_no_gate_has_forgotten_is_denied(services: MemoryServices, event: Event) -> None:
    after_the_filling = now_ms(services) + 2 * CLOCK_SKEW_MS
    no_event = new_order_id(event.id + 1, now_ms(services))
    assert told(services, no_event) is Rejected
    placed(services, event)
    assert told(services, new_order_id(event.id, after_the_filling)) is Rejected
    assert told(services, no_event) is Rejected


def test_what_cannot_be_on_its_way_any_more_is_denied(services: MemoryServices, event: Event) -> None:
    order = placed(services, event)
    services.wipe_gate()
    later = services.clock() + timedelta(milliseconds=ON_THE_WAY_MS)
    services.clock = lambda: later
    assert told(services, order.order_id) is Rejected


def test_a_gate_that_is_down_hides_what_the_ledger_does_not_know(
    services: MemoryServices, event: Event
) -> None:
    order = placed(services, event)
    services.gate = Down("gate")
    assert told(services, order.order_id) is Unavailable
