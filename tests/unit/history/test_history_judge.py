"""The judge of histories: a run in which everything was kept, and the same with one promise broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from infra.history.judge import judge
from infra.history.lines import (
    SCHEMA,
    Answer,
    Change,
    Commit,
    End,
    Event,
    Left,
    Line,
    OrderChange,
    PaymentChange,
    Removal,
    Request,
    Run,
    TypeAsked,
    TypeChange,
    Wanted,
    encode,
)
from infra.history.story import tell
from infra.rush.verdict import Audit

EVENT, TYPE, CAPACITY = 3, 7, 4
START_MS, SECOND = 1_700_000_000_000.0, 1_000.0
Play = list[Line]


class Playwright:
    """Writes a history down; moments are seconds since its start."""

    def __init__(self) -> None:
        self.lines: Play = [
            Run(
                schema=SCHEMA, what="play", url="", started_at_ms=START_MS, tolerance_ms=500, settle_ms=20_000
            ),
            Event(id=EVENT, ticket_types=(TypeAsked(TYPE, CAPACITY),), max_per_buyer=2, hold_seconds=60),
        ]
        self._number = 0

    def buys(self, at: float, user: str, quantity: int, *, key: str | None = None, **told: Any) -> None:
        """An order and its answer, a tenth of a second later."""
        request = {"event_id": EVENT, "user_id": user, "items": (Wanted(None, quantity),)}
        self._call(at, "POST", "/orders", told, idempotency_key=key, **request)

    def asks(self, at: float, order_id: str, status: str, method: str = "GET") -> None:
        """Somebody hears of an order."""
        told = {"status": 200, "order_id": order_id, "order_status": status}
        self._call(at, method, f"/orders/{order_id}", told, order_id=order_id)

    def _call(self, at: float, method: str, path: str, told: dict[str, Any], **asked: Any) -> None:
        self._number += 1
        at_ms = START_MS + at * SECOND
        self.lines.append(Request(number=self._number, at_ms=at_ms, method=method, path=path, **asked))
        if told:
            self.lines.append(Answer(number=self._number, at_ms=at_ms + 100, **told))

    def commits(self, at: float, *changes: Change) -> None:
        """A transaction of the ledger."""
        commit = Commit(lsn=f"0/{int(at * 1_000):X}", at_ms=START_MS + at * SECOND, changes=changes)
        self.lines.append(commit)

    def ends(self, left: int) -> None:
        """The last line."""
        self.lines.append(End(at_ms=START_MS + 999 * SECOND, left=(Left(TYPE, left),), awaited=True))


def accepted(order_id: str, *, replayed: bool = False) -> dict[str, Any]:
    return {"status": 202, "order_id": order_id, "order_status": "pending", "replayed": replayed}


def order(
    order_id: str, user: str, before: str | None, status: str, quantity: int = 1, **more: Any
) -> OrderChange:
    items = msgspec.Raw(msgspec.json.encode([{"ticketTypeId": TYPE, "quantity": quantity, "unitPrice": 5}]))
    return OrderChange(
        id=order_id,
        event_id=EVENT,
        user_id=user,
        before=before,
        status=status,
        quantity=quantity,
        items=items,
        **more,
    )


def stock(sold: int, reserved: int, capacity: int = CAPACITY) -> TypeChange:
    return TypeChange(id=TYPE, event_id=EVENT, capacity=capacity, sold=sold, reserved=reserved)


def payment(order_id: str, state: str = "applied") -> PaymentChange:
    return PaymentChange(reference=f"p-{order_id}", order_id=order_id, state=state)


def a_good_play() -> Play:
    """Four tickets: holds, payments, one of them late, a cancellation, a key pressed twice."""
    play = Playwright()
    due: dict[str, Any] = {"expires_at_ms": START_MS + 70 * SECOND}
    play.buys(1, "ann", 2, **accepted("a"))
    play.asks(2, "a", "pending")
    play.commits(10, stock(0, 2), order("a", "ann", None, "reserved", 2, **due))
    play.asks(12, "a", "reserved")
    play.buys(12, "bob", 1, **accepted("b"))
    play.buys(13, "cid", 1, key="k", **accepted("c"))
    play.buys(14, "cid", 1, key="k", **accepted("c", replayed=True))
    play.commits(
        20,
        stock(0, 4),
        order("b", "bob", None, "reserved", **due),
        order("c", "cid", None, "reserved", idempotency_key="k", **due),
    )
    play.buys(21, "dan", 1, status=409, code="sold-out")
    play.buys(22, "eve", 1, status=503, code="unavailable")
    play.buys(22, "cid", 1, key="k2", **accepted("c2"))
    play.commits(
        30,
        order("e", "eve", None, "rejected", reason="sold-out"),
    )
    play.commits(
        31,
        order("c2", "cid", None, "rejected", reason="sold-out", idempotency_key="k2"),
    )
    play.commits(40, stock(2, 2), order("a", "ann", "reserved", "confirmed", 2), payment("a"))
    play.commits(
        41, stock(3, 1), order("c", "cid", "reserved", "confirmed", idempotency_key="k"), payment("c")
    )
    play.asks(50, "a", "confirmed")
    play.commits(71, stock(3, 0), order("b", "bob", "reserved", "expired", **due))
    play.commits(72, stock(4, 0), order("b", "bob", "expired", "confirmed"), payment("b"))
    play.asks(79.95, "a", "cancelled", method="DELETE")
    play.commits(80, stock(2, 0), order("a", "ann", "confirmed", "cancelled", 2), payment("a", "refund-due"))
    play.buys(85, "gus", 2, **accepted("g"))
    play.commits(90, stock(2, 2), order("g", "gus", None, "reserved", 2))
    play.commits(91, stock(4, 0), order("g", "gus", "reserved", "confirmed", 2), payment("g"))
    play.ends(left=0)
    return play.lines


def judged(play: Play) -> Audit:
    return judge(tell(encode(line) for line in play))


def broken(play: Play) -> list[str]:
    """The promises that do not hold, without the figures that some of them carry."""
    return [check.promise.partition(" (")[0] for check in judged(play).checks if not check.passed]


def place_of(play: Play, lsn_second: float) -> int:
    """Where the commit of that second is."""
    return next(
        place
        for place, line in enumerate(play)
        if isinstance(line, Commit) and line.at_ms == START_MS + lsn_second * SECOND
    )


def edited(play: Play, second: float, edit: Callable[[Change], Change]) -> Play:
    """The play with every change of one commit edited."""
    place = place_of(play, second)
    commit = play[place]
    assert isinstance(commit, Commit)
    return [
        *play[:place],
        msgspec.structs.replace(commit, changes=tuple(map(edit, commit.changes))),
        *play[place + 1 :],
    ]


def of_order(order_id: str, **fields: Any) -> Callable[[Change], Change]:
    """An edit of one order's row."""
    return lambda change: (
        msgspec.structs.replace(change, **fields)
        if isinstance(change, OrderChange) and change.id == order_id
        else change
    )


def of_payment(**fields: Any) -> Callable[[Change], Change]:
    """An edit of the payment's row."""
    return lambda change: (
        msgspec.structs.replace(change, **fields) if isinstance(change, PaymentChange) else change
    )


def of_stock(**fields: Any) -> Callable[[Change], Change]:
    """An edit of the ticket type's row."""
    return lambda change: (
        msgspec.structs.replace(change, **fields) if isinstance(change, TypeChange) else change
    )


def with_more(play: Play, second: float, *changes: Change) -> Play:
    """The play with another commit, in its place in time."""
    author = Playwright()
    author.commits(second, *changes)
    commit = author.lines[-1]
    assert isinstance(commit, Commit)
    later = (
        place
        for place, line in enumerate(play)
        if isinstance(line, Commit | End) and line.at_ms > commit.at_ms
    )
    place = next(later)
    return [*play[:place], commit, *play[place:]]


def with_call(play: Play, write: Callable[[Playwright], None]) -> Play:
    """The play with another request and its answer, before the end."""
    author = Playwright()
    author._number = 1_000 + len(play)
    write(author)
    return [*play[:-1], *author.lines[2:], play[-1]]


def answered(play: Play, number: int, **fields: Any) -> Play:
    """The play with one answer edited."""
    return [
        msgspec.structs.replace(line, **fields)
        if isinstance(line, Answer) and line.number == number
        else line
        for line in play
    ]


def with_end(play: Play, **fields: Any) -> Play:
    end = play[-1]
    assert isinstance(end, End)
    return [*play[:-1], msgspec.structs.replace(end, **fields)]


def without(play: Play, *user_ids: str) -> Play:
    """The play without what these buyers did."""
    kept: Play = []
    for line in play:
        if isinstance(line, Commit) and any(
            getattr(change, "user_id", None) in user_ids for change in line.changes
        ):
            continue
        kept.append(line)
    gone = {line.number for line in play if isinstance(line, Request) and line.user_id in user_ids}
    return [line for line in kept if not (isinstance(line, Request | Answer) and line.number in gone)]


def test_a_run_that_kept_every_promise_passes_without_a_note() -> None:
    found = judged(a_good_play())
    assert [check for check in found.checks if not check.passed] == []
    assert found.notes == ()
    assert len(found.checks) == 18


OVERSOLD_FOR_A_SECOND = (order("h", "eve", None, "confirmed"), stock(5, 0), payment("h"))
PUT_RIGHT = (order("h", "eve", "confirmed", "cancelled"), stock(4, 0))


def oversold_for_a_second(play: Play) -> Play:
    """One ticket too many between two commits; in the end everything is right."""
    heard = with_call(play, lambda author: author.buys(70, "eve", 1))
    return with_more(with_more(heard, 73, *OVERSOLD_FOR_A_SECOND), 74, *PUT_RIGHT)


CONTROLS: dict[str, tuple[str, Callable[[Play], Play]]] = {
    "one ticket too many for a second": ("nothing is oversold after any commit", oversold_for_a_second),
    "the ledger's capacity was raised": (
        "nothing is oversold after any commit",
        lambda play: edited(play, 90, of_stock(capacity=5)),
    ),
    "a counter that is wrong for one commit": (
        "the counters are what the orders add up to after every commit",
        lambda play: edited(play, 40, of_stock(sold=1)),
    ),
    "a rejected order is cancelled": (
        "no order goes a way that there is not",
        lambda play: with_more(play, 95, order("c2", "cid", "rejected", "cancelled", idempotency_key="k2")),
    ),
    "an order is deleted": (
        "an order is written once and never removed",
        lambda play: with_more(play, 95, Removal(table="orders", id="e")),
    ),
    "an order is written a second time": (
        "an order is written once and never removed",
        lambda play: with_more(play, 95, order("c", "cid", None, "confirmed", idempotency_key="k")),
    ),
    "a lower cap than what was sold": (
        "no buyer has more than the event allows after any commit",
        lambda play: [play[0], msgspec.structs.replace(play[1], max_per_buyer=1), *play[2:]],
    ),
    "a hold that ends early": (
        "no hold ends before its time",
        lambda play: edited(play, 20, of_order("b", expires_at_ms=START_MS + 75 * SECOND)),
    ),
    "a payment that was never applied": (
        "no held order is confirmed without its payment",
        lambda play: edited(play, 41, of_payment(state="refused")),
    ),
    "a key that two orders hold": (
        "no key of a buyer is two orders' in the ledger",
        lambda play: edited(play, 31, of_order("c2", idempotency_key="k")),
    ),
    "an accepted order that nobody decided": (
        "every accepted order has its final answer in the ledger",
        lambda play: with_call(play, lambda author: author.buys(92, "hal", 1, **accepted("h"))),
    ),
    "an order that nobody asked for": (
        "no order in the ledger came from nowhere",
        lambda play: with_more(play, 95, order("m", "mal", None, "rejected", reason="sold-out")),
    ),
    "a second order for one buyer who was not heard": (
        "no order in the ledger came from nowhere",
        lambda play: with_more(play, 95, order("e2", "eve", None, "rejected", reason="sold-out")),
    ),
    "an order of another size than asked for": (
        "every order in the ledger is what its buyer asked for",
        lambda play: edited(play, 31, of_order("c2", quantity=2)),
    ),
    "a key that is two orders to its buyer": (
        "one key of a buyer is one order",
        lambda play: answered(
            with_more(play, 95, order("c3", "cid", None, "rejected", reason="sold-out")), 5, order_id="c3"
        ),
    ),
    "an answer before its time": (
        "what a buyer was told of an order was true",
        lambda play: with_call(play, lambda author: author.asks(30, "c", "confirmed")),
    ),
    "an answer after its time": (
        "what a buyer was told of an order was true",
        lambda play: with_call(play, lambda author: author.asks(60, "a", "reserved")),
    ),
    "pending for ever": (
        "what a buyer was told of an order was true",
        lambda play: with_call(play, lambda author: author.asks(60, "c", "pending")),
    ),
    "an order that the ledger never had": (
        "what a buyer was told of an order was true",
        lambda play: with_call(play, lambda author: author.asks(60, "x", "confirmed")),
    ),
    "pending again": (
        "no decided order reads as pending again",
        lambda play: with_call(play, lambda author: author.asks(15, "a", "pending")),
    ),
    "an accepted order is said not to be there": (
        "nobody heard that an accepted order is not there",
        lambda play: with_call(
            play,
            lambda author: author._call(
                5, "GET", "/orders/a", {"status": 404, "code": "order-not-found"}, order_id="a"
            ),
        ),
    ),
    "sold out while there are two left": (
        "nobody heard sold out while tickets were left",
        lambda play: with_end(
            with_call(
                without(play, "gus", "eve"),
                lambda author: author.buys(110, "zoe", 2, status=409, code="sold-out"),
            ),
            left=(Left(TYPE, 2),),
        ),
    ),
    "a ticket that the gate has forgotten": (
        "at the end available + sold + reserved = capacity",
        lambda play: with_end(play, left=(Left(TYPE, 1),)),
    ),
    "an id that two buyers have": (
        "no order id is given to two requests but by their key",
        lambda play: with_call(play, lambda author: author.buys(92, "hal", 1, **accepted("g"))),
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_each_promise_is_missed_when_it_is_broken_and_no_other(control: str) -> None:
    promise, breaking = CONTROLS[control]
    assert broken(breaking(a_good_play())) == [promise]


def test_every_promise_has_a_control() -> None:
    promises = {check.promise.partition(" (")[0] for check in judged(a_good_play()).checks}
    assert promises == {promise for promise, _ in CONTROLS.values()}


def test_a_second_order_for_a_forgotten_key_is_excused_when_the_ledger_rejects_it() -> None:
    again = order("c3", "cid", None, "rejected", reason="idempotency-key-reused")
    found = judged(answered(with_more(a_good_play(), 95, again), 5, order_id="c3"))
    assert found.passed
    assert found.notes == ("keys that made a second order, which the ledger then rejected: 1",)


def test_sold_out_is_excused_by_tickets_that_somebody_held_at_that_moment() -> None:
    late = with_call(
        without(a_good_play(), "gus", "eve"),
        lambda author: author.buys(90, "zoe", 2, status=409, code="sold-out"),
    )
    assert judged(with_end(late, left=(Left(TYPE, 2),))).passed


def test_a_cut_request_excuses_the_order_that_it_may_have_made() -> None:
    cut = with_call(a_good_play(), lambda author: author.buys(92, "mal", 1))
    assert judged(with_more(cut, 95, order("m", "mal", None, "rejected", reason="sold-out"))).passed


@pytest.mark.parametrize("orders", [1, 2])
def test_a_key_excuses_one_order_however_often_it_was_pressed_in_vain(orders: int) -> None:
    play = a_good_play()
    for at in (92, 93):
        play = with_call(play, lambda author, at=at: author.buys(at, "mal", 1, key="k"))  # type: ignore[misc]
    for number in range(orders):
        play = with_more(play, 95 + number, order(f"m{number}", "mal", None, "rejected", reason="sold-out"))
    assert broken(play) == ["no order in the ledger came from nowhere"] * (orders - 1)


def test_a_message_past_the_door_excuses_its_own_order_and_no_other() -> None:
    sent = Request(
        number=99, at_ms=START_MS, method="SEND", path="", event_id=EVENT, user_id="mal", order_id="m"
    )
    play = [*a_good_play()[:2], sent, *a_good_play()[2:]]
    own = with_more(play, 95, order("m", "mal", None, "rejected", reason="sold-out"))
    assert judged(own).passed
    other = with_more(own, 96, order("n", "mal", None, "rejected", reason="sold-out"))
    assert broken(other) == ["no order in the ledger came from nowhere"]


def test_without_the_ledger_it_is_said_what_was_not_judged() -> None:
    play: Play = [
        line
        for line in with_end(a_good_play(), without_ledger="wal_level is replica")
        if not isinstance(line, Commit)
    ]
    found = judged(play)
    assert found.passed
    assert found.notes == ("nothing was judged that needs the ledger: wal_level is replica",)


def test_a_history_that_breaks_off_is_judged_by_its_answers_alone() -> None:
    found = judged(a_good_play()[:-1])
    assert found.passed
    assert found.notes == ("the history breaks off: nothing was judged that needs the ledger or the end",)


def test_an_emptied_table_is_no_ledger_any_more() -> None:
    assert "an order is written once and never removed" in broken(
        with_more(a_good_play(), 95, Removal(table="orders"))
    )


def test_an_order_from_before_the_history_may_change_in_it() -> None:
    old = order("old", "ann", "unknown", "confirmed")
    cut = with_call(a_good_play(), lambda author: author.buys(0, "ann", 1))
    moved = edited(with_more(cut, 81, old, stock(3, 0)), 90, of_stock(sold=5))
    assert "no order goes a way that there is not" not in broken(moved)
