"""One life, lived on both ledgers: PostgreSQL and its twin must give the same answers at every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chalicelib.errors import Rejected
from chalicelib.model import LatePayment, OrderPlaced, OrderQuery
from tests.fakes.ledger import MemoryLedger
from tests.support.batches import a_draft, an_order, ledger_at
from tests.support.events import NOON
from tests.support.life import a_notice, applied, balance

pytestmark = pytest.mark.slow

Step = Callable[[Any], Any]


class Life:
    """Draws steps from a seed: buying, paying, cancelling, expiring, at a clock that goes on."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.now = NOON
        self.placed: list[OrderPlaced] = []

    def step(self, ledger: Any) -> Step:
        """The next step, to be taken on any ledger; `ledger` tells what is on sale."""
        self.now += timedelta(seconds=self.dice.choice((0, 0, 1, 5)))
        kinds = [self.buy] * 3 + [self.pay] * 4 + [self.cancel] * 2 + [self.expire] * 2
        return self.dice.choice(kinds)(ledger)

    def buy(self, ledger: Any) -> Step:
        """A batch of new orders and of some that came before."""
        dice, now = self.dice, self.now
        fresh = [
            an_order(
                dice.choice(ledger.events(0, 9)),
                dice.randint(1, 3),
                user=dice.choice("abcd"),
                kind=dice.randrange(2),
                key=dice.choice((None, None, "j", "k", "l", "m")),
            )
            for _ in range(dice.randint(1, 4))
        ]
        self.placed += fresh
        batch = [*fresh, *dice.choices(self.placed, k=2)]
        return lambda ledger: [
            (o.order_id, o.status, o.reason) for o in applied(ledger, *batch, now=now).outcomes
        ]

    def pay(self, ledger: Any) -> Step:
        """A notice, at times wrong, at times again."""
        dice, now = self.dice, self.now
        order = self.some_order(ledger)
        notice = a_notice(
            order,
            reference=f"r{dice.randrange(200)}",
            amount=order.total_price + dice.choice((0, 0, 0, 1)),
        )
        return lambda ledger: ledger.pay(notice, now)

    def cancel(self, ledger: Any) -> Step:
        """A cancellation, with or without a claim."""
        order, now = self.some_order(ledger), self.now
        claim = self.dice.choice((None, order))
        return lambda ledger: ledger.cancel(order.order_id, claim, now)

    def expire(self, _ledger: Any) -> Step:
        """A few that are due, or all of them."""
        now, limit = self.now, 1_000
        return lambda ledger: ledger.expire_due(now, limit)

    def some_order(self, ledger: Any) -> OrderPlaced:
        """One that was placed, or one whose message is still on its way."""
        if not self.placed or self.dice.random() < 0.1:
            self.placed.append(an_order(self.dice.choice(ledger.events(0, 9)), user=self.dice.choice("abcd")))
        return self.dice.choice(self.placed)


def answer(step: Step, ledger: Any) -> Any:
    try:
        return step(ledger)
    except Rejected as refused:
        return refused.code


@pytest.mark.parametrize("seed", range(6))
def test_both_ledgers_answer_alike_and_their_books_balance_at_every_step(database: str, seed: int) -> None:
    life, twin = Life(seed), MemoryLedger()
    with ledger_at(database) as real:
        for late_payment, hold_seconds in zip(LatePayment, (20, 40, 0), strict=True):
            draft = a_draft(9, 9, hold_seconds=hold_seconds, late_payment=late_payment, max_per_buyer=5)
            assert [kind.id for kind in real.create_event(draft).ticket_types] == [
                kind.id for kind in twin.create_event(draft).ticket_types
            ]
        for turn in range(120):
            step = life.step(twin)
            assert answer(step, real) == answer(step, twin)
            if turn % 10 == 0:
                for event in twin.events(0, 9):
                    balance(twin, event)
                    assert real.event(event.id).ticket_types == event.ticket_types
        query = OrderQuery(limit=10_000)
        assert real.orders(query) == twin.orders(query)
        assert real.payments(None, None, 10_000) == twin.payments(None, None, 10_000)
        for event in real.events(0, 9):
            balance(real, event)
