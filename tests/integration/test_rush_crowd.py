"""The crowd against real sockets: a stand-in that keeps its books, and ones that are wrong on purpose."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.local.layout import free_port
from infra.rush.hammer import hammer
from infra.rush.plan import RushPlan
from infra.rush.result import RushResult
from infra.rush.rush import run_rush
from infra.rush.service import ServiceFault
from tests.support.box_office import (
    AnswersTwice,
    BoxOffice,
    ChangesItsMind,
    CriesSoldOut,
    Front,
    GivesAnIdTwice,
    HidesTickets,
    LosesAnOrder,
    NeverDecides,
    Oversells,
    SellsATicketTwice,
    serving,
)


def rushed(front: Front, **figures: Any) -> RushResult:
    """A small rush that does not wait for what will not come."""
    asked = {"tickets": 40, "buyers": 200, "concurrency": 8, "sample_every": 0}
    waits = {"decide_seconds": 2.0, "settle_seconds": 0.0, "answer_seconds": 2.0}
    with serving(front) as url:
        return run_rush(RushPlan(url=url, **{**asked, **waits, **figures}), read_ledger=front.office.ledger)


def broken(result: RushResult) -> str:
    return "\n".join(check.promise for check in result.audit.checks if not check.passed)


def test_every_ticket_is_sold_and_everybody_else_hears_sold_out() -> None:
    office = BoxOffice()
    result = rushed(Front(office))
    assert broken(result) == ""
    assert (result.accepted, result.refused, result.confirmed) == (40, {"sold-out": 160}, 40)
    assert office.placed == 200
    assert sum(result.curve.confirmed) == 40


def test_a_paced_crowd_takes_its_time_and_asks_for_everything_all_the_same() -> None:
    office = BoxOffice()
    result = rushed(Front(office), over_seconds=1.0)
    assert broken(result) == ""
    assert office.placed == 200
    assert 0.95 < result.crowd_seconds < 3


def test_a_paced_crowd_asks_again_over_new_connections_when_old_ones_close() -> None:
    front = Front(BoxOffice(), answers_each=20)
    result = rushed(front, over_seconds=0.5)
    assert result.unsent == 0
    assert broken(result) == ""
    assert front.connections >= 10


def test_more_tickets_than_buyers_leave_some() -> None:
    result = rushed(Front(BoxOffice()), tickets=500, buyers=120)
    assert broken(result) == ""
    assert (result.accepted, result.refused_total) == (120, 0)


def test_orders_of_several_tickets_leave_the_remainder() -> None:
    result = rushed(Front(BoxOffice()), tickets=43, quantity=4)
    assert broken(result) == ""
    assert (result.confirmed_tickets, result.refused) == (40, {"not-enough-tickets": 190})


@pytest.mark.slow
def test_followed_buyers_see_their_answer_at_the_pace_of_retry_after() -> None:
    result = rushed(Front(BoxOffice()), sample_every=20)
    assert broken(result) == ""
    assert result.observed_decide_ms is not None
    assert result.observed_decide_ms.count == 2
    assert 1_000 <= result.observed_decide_ms.max < 2_000


@pytest.mark.parametrize("taken", [True, False])
def test_a_connection_cut_mid_request_is_an_unknown_order_and_never_sent_again(taken: bool) -> None:
    office = BoxOffice()
    result = rushed(Front(office, cuts=frozenset({3, 17, 150}), taken=taken))
    assert broken(result) == ""
    assert (result.unknown, result.accepted + result.refused_total) == (3, 197)
    assert result.confirmed == 40
    assert office.placed == (200 if taken else 197)


def test_every_request_cut_off_ends_with_nobody_served_and_a_failed_audit() -> None:
    result = rushed(Front(BoxOffice(), cuts=frozenset(range(1, 50)), taken=False), buyers=20)
    assert result.unknown == 20
    assert "the sale took place" in broken(result)


def test_a_server_that_closes_connections_between_answers_costs_no_order() -> None:
    front = Front(BoxOffice(), answers_each=5)
    result = rushed(front)
    assert broken(result) == ""
    assert result.unknown == 0
    assert front.connections > 200 / 5


@pytest.mark.parametrize(
    ("office", "promise"),
    [
        (Oversells, "no ticket type is oversold"),
        (LosesAnOrder, "exactly one answer at the service"),
        (NeverDecides, "exactly one answer in the ledger"),
        (AnswersTwice, "exactly one answer at the service"),
        (CriesSoldOut, "nobody heard sold out while tickets were left"),
        (GivesAnIdTwice, "no order id was given to two buyers"),
        (HidesTickets, "the gate has what is unsold"),
        (SellsATicketTwice, "no ticket twice"),
    ],
)
def test_an_unsafe_box_office_is_caught(office: type[BoxOffice], promise: str) -> None:
    result = rushed(Front(office()), tickets=160, decide_seconds=0.3)
    assert promise in broken(result)
    assert not result.audit.passed


@pytest.mark.slow
def test_an_answer_that_changes_after_a_buyer_saw_it_is_caught() -> None:
    result = rushed(Front(ChangesItsMind()), sample_every=20)
    assert "no answer changed after a buyer saw it (2 looked)" in broken(result)


def test_without_a_ledger_an_oversold_event_is_caught_all_the_same() -> None:
    with serving(Front(Oversells())) as url:
        result = run_rush(RushPlan(url=url, tickets=40, buyers=200, sample_every=0, settle_seconds=0))
    assert "sold = confirmed" in broken(result)


def test_a_service_that_is_not_there_is_a_fault_and_not_a_failed_audit() -> None:
    with pytest.raises(ServiceFault):
        run_rush(RushPlan(url=f"http://127.0.0.1:{free_port()}"))


def test_a_service_that_never_answers_is_given_up() -> None:
    with silent() as (url, heard):
        result = hammer(url, "/orders", b"{}", concurrency=2, count=2, answer_seconds=0.2)
    assert (result.unknown, result.answers) == (2, 0)
    assert heard


def test_a_service_that_dies_leaves_the_remaining_buyers_unsent() -> None:
    with silent(listening=False) as (url, _):
        result = hammer(url, "/orders", b"{}", concurrency=2, count=50, patience_seconds=0.2)
    assert result.answers == 0
    assert result.unknown == result.requests < 50


def test_hammering_counts_answers_by_code() -> None:
    office = BoxOffice()
    office.create(30)
    body = b'{"eventId":7,"quantity":1,"userId":"u"}'
    with serving(Front(office)) as url:
        posted = hammer(url, "/orders", body, concurrency=4, count=100)
        read = hammer(url, "/events/7/availability", concurrency=4, seconds=0.1)
    assert posted.codes == {"202": 30, "sold-out": 70}
    assert read.codes == {"http-200": read.answers}
    assert read.answers_per_second > 0
    assert read.seconds < 1


def test_hammering_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds or count"):
        hammer("http://127.0.0.1:1", "/")


@contextmanager
def silent(*, listening: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads and never answers; or that hangs up after the first bytes and is gone then."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_hear, args=(server, heard, listening))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
    finally:
        thread.join()
        server.close()


def _hear(server: socket.socket, heard: list[bytes], listening: bool) -> None:
    connections = [server.accept()[0] for _ in range(2)]
    heard.extend(connection.recv(65_536) for connection in connections)
    if not listening:
        server.close()
    for connection in connections:
        if listening:
            connection.recv(1)
        connection.close()
