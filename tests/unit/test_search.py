"""How far a search goes, and that it says when it has not seen everything."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chalicelib.admission import place
from chalicelib.model import Event
from chalicelib.ops.search import Bounds, find
from chalicelib.order_ids import new_order_id
from chalicelib.services import Services
from chalicelib.traces import Found
from tests.fakes.services import MemoryServices
from tests.support.batches import a_draft
from tests.support.events import an_intent
from tests.support.letters import a_letter, keep


@pytest.fixture
def services() -> MemoryServices:
    return MemoryServices()


@pytest.fixture
def event(services: MemoryServices) -> Event:
    event: Event = services.ledger.create_event(a_draft(10))
    return event


def placed(services: Services, event: Event, user: str = "ann") -> str:
    now_ms = round(services.clock().timestamp() * 1_000)
    intent = replace(an_intent(event_id=event.id, user=user), order_id=new_order_id(event.id, now_ms))
    return place(services, intent).order.order_id


def ids(found: Found) -> list[str | None]:
    return [item.order_id for item in found.items]


def test_more_orders_than_are_shown_are_said_to_be_more(services: MemoryServices, event: Event) -> None:
    made = sorted((placed(services, event) for _ in range(4)), reverse=True)
    for _ in ("waiting", "decided"):
        found = find(services, "ann", within=Bounds(found=3))
        assert (ids(found), found.truncated) == (made[:3], True)
        found = find(services, "ann", within=Bounds(found=4))
        assert (ids(found), found.truncated) == (made, False)
        services.fulfil()


def test_a_gate_too_full_to_be_looked_through_is_said_to_be(services: MemoryServices, event: Event) -> None:
    made = {user: placed(services, event, user) for user in ("ann", "bob")}
    seen = [find(services, user, within=Bounds(claims=1)) for user in made]
    assert sorted(len(found.items) for found in seen) == [0, 1]
    assert all(found.truncated for found in seen)
    for user, order_id in made.items():
        assert ids(find(services, order_id, within=Bounds(claims=1))) == [order_id]
        assert find(services, user, within=Bounds(claims=2)) == find(services, user)


def test_more_events_than_are_looked_at_are_said_to_be_more(services: MemoryServices, event: Event) -> None:
    newer = services.ledger.create_event(a_draft(10))
    old, new = placed(services, event), placed(services, newer)
    found = find(services, "ann", within=Bounds(events=1))
    assert (ids(found), found.truncated) == ([new], True)
    found = find(services, "ann", event.id, within=Bounds(events=1))
    assert (ids(found), found.truncated) == ([old], False)
    assert ids(find(services, "ann", within=Bounds(events=2))) == sorted([old, new], reverse=True)


def test_a_buyer_of_more_orders_than_are_read_is_said_to_have_more(
    services: MemoryServices, event: Event
) -> None:
    for _ in range(2):
        placed(services, event)
    services.fulfil()
    assert find(services, "ann", within=Bounds(rows=2)).truncated
    assert not find(services, "ann", within=Bounds(rows=3)).truncated


def test_claims_of_an_event_that_is_gone_are_passed_over(services: MemoryServices, event: Event) -> None:
    order_id = placed(services, event)
    keep(services.ledger, a_letter("m-1", order_id=order_id, event_id=event.id, user_id="ann"))
    services.gate.unload(event.id, "another server")
    del services.ledger._events[event.id]
    (item,) = find(services, "m-1").items
    assert (item.order_id, [place.value for place in item.places]) == (order_id, ["gate", "dead-letters"])
