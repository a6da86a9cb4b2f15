"""What every ledger must tell of a sale: the in-memory twin and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from chalicelib.ledger.ledger import Ledger
from chalicelib.model import AuditRecord, Event, Sales
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, ledger_at
from tests.support.events import NOON
from tests.support.life import applied


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | MemoryLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with ledger_at(request.getfixturevalue("database")) as real:
        yield real


@pytest.fixture
def event(ledger: Ledger) -> Event:
    return ledger.create_event(a_draft(10, max_per_buyer=4))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_an_event_without_orders_has_sold_nothing(ledger: Ledger, event: Event) -> None:
    nothing = Sales(
        first_accepted_at=None, last_sold_at=None, buyers=0, sold=(0, 0, 0), rejected=({}, {}, {})
    )
    assert ledger.sales(event.id, [at(0), at(1)]) == nothing
    assert ledger.sales(event.id + 1, [at(0), at(1)]) == nothing


def test_tickets_are_counted_by_the_moment_of_their_decision(ledger: Ledger, event: Event) -> None:
    for seconds, quantity in ((-1, 1), (0, 2), (0.999, 1), (1, 3), (2, 1)):
        applied(ledger, an_order(event, quantity), now=at(seconds))
    assert ledger.sales(event.id, [at(0), at(1), at(2)]).sold == (1, 3, 3, 1)
    assert ledger.sales(event.id, []).sold == (8,)


def test_the_first_acceptance_and_the_last_ticket_have_their_times(ledger: Ledger, event: Event) -> None:
    first = an_order(event, 1)
    second = an_order(event, 1)
    applied(ledger, second, now=at(1))
    applied(ledger, first, now=at(5))
    found = ledger.sales(event.id, [])
    assert found.first_accepted_at == datetime.fromtimestamp(first.accepted_at_ms / 1_000, NOON.tzinfo)
    assert found.last_sold_at == at(5)


def test_rejections_are_counted_by_reason_and_have_no_tickets(ledger: Ledger, event: Event) -> None:
    applied(ledger, an_order(event, 4, user="ann"), now=at(0))
    applied(ledger, an_order(event, 1, user="ann"), now=at(0))
    applied(ledger, an_order(event, 1, user="ann"), now=at(1))
    applied(ledger, an_order(event, 11), now=at(1))
    found = ledger.sales(event.id, [at(1)])
    assert found.sold == (4, 0)
    assert found.rejected[0] == {"buyer-limit-exceeded": 1}
    assert sum(found.rejected[1].values()) == 2
    assert found.last_sold_at == at(0)


def test_what_came_back_is_taken_by_nobody(ledger: Ledger, event: Event) -> None:
    kept, given_back = an_order(event, 1, user="ann"), an_order(event, 2, user="bob")
    applied(ledger, kept, now=at(0))
    applied(ledger, given_back, now=at(1))
    assert (ledger.sales(event.id, []).sold, ledger.sales(event.id, []).buyers) == ((3,), 2)
    ledger.cancel(given_back.order_id, None, at(2))
    found = ledger.sales(event.id, [])
    assert (found.sold, found.buyers, found.last_sold_at) == ((1,), 1, at(0))


def test_a_buyer_of_several_orders_is_one(ledger: Ledger, event: Event) -> None:
    for _ in range(3):
        applied(ledger, an_order(event, 1, user="ann"), now=at(0))
    assert ledger.sales(event.id, []).buyers == 1


def test_another_events_orders_are_its_own(ledger: Ledger, event: Event) -> None:
    other = ledger.create_event(a_draft(10))
    applied(ledger, an_order(other, 3), now=at(0))
    assert ledger.sales(event.id, []).sold == (0,)


def test_an_action_can_be_recorded(ledger: Ledger) -> None:
    ledger.record_action(
        AuditRecord(NOON, "olga", "fulfilment-paused", "fulfilment", "a \u00df test", {"a": [1]})
    )
