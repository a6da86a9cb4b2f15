"""Admission: one order for a buyer's key whatever fails on the way, and orders without a gate when so set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import admission
from chalicelib.admission import Placed, place
from chalicelib.errors import InvalidRequest, Rejected, Unavailable
from chalicelib.model import Event, OrderIntent, OrderStatus, SalesState, Wanted
from chalicelib.queue.messages import decode
from chalicelib.settings import from_environment
from tests.fakes.gate import MemoryGate
from tests.fakes.services import Down, MemoryServices
from tests.support.batches import a_draft
from tests.support.events import an_intent, an_order_for


class FailingQueue:
    """Takes nothing; `meanwhile` is done before it says so."""

    def __init__(self, error: Exception, meanwhile: Any = None) -> None:
        self.error = error
        self.meanwhile = meanwhile

    def send(self, *_: str) -> str:
        """Fails."""
        if self.meanwhile:
            self.meanwhile()
        raise self.error


@pytest.fixture
def services() -> MemoryServices:
    return MemoryServices()


@pytest.fixture
def event(services: MemoryServices) -> Event:
    event: Event = services.ledger.create_event(a_draft(10))
    return event


def without_gate(services: MemoryServices) -> MemoryServices:
    services.settings = replace(services.settings, gate_fallback="ledger")
    services.gate = Down("gate")
    return services


def refused(services: MemoryServices, intent: OrderIntent) -> str:
    with pytest.raises(Rejected) as caught:
        place(services, intent)
    return caught.value.code


def test_an_order_without_a_key_is_new_every_time(services: MemoryServices, event: Event) -> None:
    placed = [place(services, an_intent()) for _ in range(2)]
    assert [each.replayed for each in placed] == [False, False]
    assert len(services.queue.bodies) == 2


def test_a_key_that_comes_again_is_the_same_order_and_is_sent_again_in_case_it_never_was(
    services: MemoryServices, event: Event
) -> None:
    first, again = (place(services, an_intent(2, key="k")) for _ in range(2))
    assert again == Placed(first.order, True)
    assert [decode(body) for body in services.queue.bodies] == [first.order, first.order]


def test_a_key_leads_to_its_order_long_after_it_was_decided(services: MemoryServices, event: Event) -> None:
    first = place(services, an_intent(2, key="k")).order
    services.fulfil()
    again = place(services, an_intent(2, key="k"))
    assert again.replayed
    shown = ("order_id", "event_id", "user_id", "currency", "items", "accepted_at_ms")
    assert [getattr(again.order, name) for name in shown] == [getattr(first, name) for name in shown]
    assert services.queue.bodies == []


def test_a_key_leads_to_its_order_after_the_gate_has_forgotten_everything(
    services: MemoryServices, event: Event
) -> None:
    first = place(services, an_intent(10, key="k")).order
    services.fulfil()
    services.gate = MemoryGate()
    again = place(services, an_intent(10, key="k"))
    assert (again.order.order_id, again.replayed) == (first.order_id, True)
    assert refused(services, an_intent(1, key="k")) == "idempotency-key-reused"
    assert refused(services, an_intent(1, key="new")) == "sold-out"
    assert services.queue.bodies == []


def test_the_key_of_a_rejected_order_leads_to_it_too(services: MemoryServices) -> None:
    services.ledger.create_event(a_draft(10, max_per_buyer=1))
    first = place(services, an_intent(1, key="k")).order
    services.fulfil()
    services.gate = MemoryGate()  # which forgets that ann has one already
    second = place(services, an_intent(1, key="l")).order
    services.fulfil()
    assert services.ledger.order(second.order_id).status is OrderStatus.REJECTED
    for key, order in (("k", first), ("l", second)):
        assert place(services, an_intent(1, key=key)).order.order_id == order.order_id


@pytest.mark.parametrize(
    "other",
    [an_intent(3, key="k"), an_intent(2, key="k", type_id=1), replace(an_order_for(), idempotency_key="k")],
)
def test_a_key_with_another_request_is_refused(
    services: MemoryServices, event: Event, other: OrderIntent
) -> None:
    place(services, an_intent(2, key="k"))
    assert refused(services, other) == "idempotency-key-reused"


def test_the_digest_is_of_what_is_asked_for_and_not_of_who_asks_when() -> None:
    asked = an_order_for((11, 1), (12, 2))
    assert admission.digest(asked) == admission.digest(an_order_for((11, 1), (12, 2), user="bob"))
    others = [
        an_order_for((11, 1), (12, 2), event_id=2),
        an_order_for((11, 12), (12, 2)),
        an_order_for((11, 1)),
        replace(asked, wanted=(*asked.wanted, Wanted(None, 1))),
    ]
    assert len({admission.digest(intent) for intent in [asked, *others]}) == 5


def test_a_queue_that_certainly_has_nothing_leaves_no_claim_and_no_key(
    services: MemoryServices, event: Event
) -> None:
    queue, services.queue = services.queue, FailingQueue(Unavailable("queue", "throttled"))
    with pytest.raises(Unavailable):
        place(services, an_intent(2, key="k"))
    assert services.gate.pending(1, None, 10) == []
    services.queue = queue
    assert not place(services, an_intent(2, key="k")).replayed
    assert services.gate.survey(1).stock == {1: 8}


def test_a_queue_that_may_have_the_order_leaves_the_claim_and_the_key(
    services: MemoryServices, event: Event
) -> None:
    queue, services.queue = services.queue, FailingQueue(Unavailable("queue", "timeout", ambiguous=True))
    with pytest.raises(Unavailable):
        place(services, an_intent(2, key="k"))
    (claim,) = services.gate.pending(1, None, 10)
    services.queue = queue
    assert place(services, an_intent(2, key="k")) == Placed(claim, True)


def test_an_order_that_a_replay_was_told_of_is_kept_although_the_queue_failed(
    services: MemoryServices, event: Event
) -> None:
    replays: list[Placed] = []
    queue = services.queue

    def replay() -> None:
        services.queue = queue
        replays.append(place(services, an_intent(2, key="k")))

    services.queue = FailingQueue(Unavailable("queue", "throttled"), replay)
    with pytest.raises(Unavailable):
        place(services, an_intent(2, key="k"))
    assert replays == [Placed(services.gate.pending(1, None, 10)[0], True)]


def test_a_replay_that_cannot_be_sent_is_not_acknowledged_and_leaves_the_claim(
    services: MemoryServices, event: Event
) -> None:
    first = place(services, an_intent(2, key="k")).order
    services.queue = FailingQueue(Unavailable("queue", "throttled"))
    with pytest.raises(Unavailable):
        place(services, an_intent(2, key="k"))
    assert services.gate.pending(1, None, 10) == [first]


def test_a_key_whose_order_cannot_be_read_is_not_answered_by_guessing(
    services: MemoryServices, event: Event
) -> None:
    place(services, an_intent(2, key="k"))
    services.fulfil()
    services.ledger = Down("ledger")
    with pytest.raises(Unavailable):
        place(services, an_intent(2, key="k"))


def test_without_a_gate_nothing_is_accepted(services: MemoryServices, event: Event) -> None:
    services.gate = Down("gate")
    with pytest.raises(Unavailable):
        place(services, an_intent())
    assert services.queue.bodies == []


def test_without_a_gate_orders_go_straight_to_the_queue_when_so_set(
    services: MemoryServices, event: Event
) -> None:
    gate = services.gate
    intent = replace(an_intent(2, key="k"))
    placed = place(without_gate(services), intent)
    order = placed.order
    assert [decode(body) for body in services.queue.bodies] == [order]
    assert (order.order_id, order.currency, order.total_price) == (intent.order_id, "EUR", 1_000)
    assert (order.idempotency_key, order.request_digest) == ("k", admission.digest(intent))
    services.gate = gate
    services.fulfil()
    assert services.ledger.order(order.order_id).status is OrderStatus.CONFIRMED
    again = place(without_gate(services), an_intent(2, key="k"))
    assert (again.order.order_id, again.replayed) == (order.order_id, True)
    assert refused(services, an_intent(3, key="k")) == "idempotency-key-reused"


def test_without_a_gate_the_ledger_refuses_what_there_is_not(services: MemoryServices, event: Event) -> None:
    gate = services.gate
    orders = [place(without_gate(services), an_intent(4, user=str(n))).order for n in range(4)]
    services.gate = gate
    services.fulfil()
    found = [services.ledger.order(order.order_id).reason for order in orders]
    assert sorted(map(str, found)) == ["None", "None", "not-enough-tickets", "not-enough-tickets"]


def test_without_a_gate_the_terms_of_the_sale_hold(services: MemoryServices) -> None:
    now, hour = services.clock(), timedelta(hours=1)
    ledger = services.ledger
    early = ledger.create_event(a_draft(10, sales_open_at=now + hour)).id
    late = ledger.create_event(a_draft(10, sales_close_at=now - hour)).id
    small = ledger.create_event(a_draft(10, 10, max_per_order=2)).id
    without_gate(services)
    assert refused(services, an_intent(event_id=early)) == "sale-not-open"
    assert refused(services, an_intent(event_id=late)) == "sale-closed"
    assert refused(services, an_intent(3, event_id=small, type_id=3)) == "order-limit-exceeded"
    assert refused(services, an_intent(event_id=small, type_id=1)) == "ticket-type-not-found"
    assert refused(services, an_intent(event_id=99)) == "event-not-found"
    with pytest.raises(InvalidRequest):
        place(services, an_intent(event_id=small))


@pytest.mark.parametrize(
    ("state", "code"), [(SalesState.PAUSED, "sale-paused"), (SalesState.CLOSED, "sale-closed")]
)
def test_without_a_gate_a_sale_that_is_switched_off_stays_off(
    services: MemoryServices, event: Event, state: SalesState, code: str
) -> None:
    services.ledger.switch(event.id, state)
    assert refused(without_gate(services), an_intent()) == code


def test_without_gate_and_ledger_nothing_is_accepted(services: MemoryServices, event: Event) -> None:
    without_gate(services)
    services.ledger = Down("ledger")
    with pytest.raises(Unavailable):
        place(services, an_intent())


def test_the_fallback_is_off_unless_it_is_set_and_must_be_a_known_one() -> None:
    assert from_environment({}).gate_fallback == "none"
    assert from_environment({"GATE_FALLBACK": "ledger"}).gate_fallback == "ledger"
    with pytest.raises(ValueError, match="gate_fallback"):
        from_environment({"GATE_FALLBACK": "yes"})
