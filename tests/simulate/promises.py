"""The promises, checked after every step against what is in the stores. It knows no schedule.

It looks past the service's code at the twins' own dictionaries, and counts again. Each order and payment is
counted once for each change, so that a check costs what has changed.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from chalicelib.model import LatePayment, Order, OrderPlaced, OrderStatus, Payment, PaymentState
from chalicelib.rules import KEY_REUSED
from tests.fakes.ledger import MemoryLedger
from tests.simulate.schedule import Sale
from tests.simulate.stores import SimulatedGate

_S = OrderStatus
_WAYS = {
    (None, _S.CONFIRMED),
    (None, _S.RESERVED),
    (None, _S.REJECTED),
    (None, _S.CANCELLED),
    (_S.RESERVED, _S.CONFIRMED),
    (_S.RESERVED, _S.EXPIRED),
    (_S.RESERVED, _S.CANCELLED),
    (_S.CONFIRMED, _S.CANCELLED),
    (_S.EXPIRED, _S.CONFIRMED),
}
_KEPT = (_S.CONFIRMED, _S.RESERVED)
_decode = msgspec.json.Decoder(OrderPlaced).decode


class Violation(BaseException):
    """A promise is broken. No `except Exception` of the service may catch it.

    `promise` is its short name, the same for every seed.
    """

    def __init__(self, promise: str, detail: str) -> None:
        """`detail` names the order, ticket type or buyer."""
        super().__init__(f"{promise}: {detail}")
        self.promise = promise


class Promises:
    """What was promised in one simulation, and whether it is kept."""

    def __init__(self, sale: Sale, ledger: MemoryLedger, gate: SimulatedGate) -> None:
        """The stores are the twins themselves, without bad luck."""
        self.sale = sale
        self.excused: set[str] = set()
        """Orders that the gate has never had, or has forgotten: they are on the queue alone."""
        self.gate_is_exact = True
        """Until the gate forgets something, or lets in somebody unseen: it may then give too much."""
        self.lapses = 0
        """How often the gate has lost its memory."""
        self.keys: dict[str, tuple[str, str]] = {}
        """By order id: buyer and idempotency key."""
        self._ledger, self._gate = ledger, gate
        self._orders: dict[str, Order] = {}
        self._payments: dict[str, Payment] = {}
        self._open: set[str] = set()
        self._tickets: Counter[tuple[int, OrderStatus]] = Counter()
        self._bought: Counter[tuple[int, str]] = Counter()
        self._applied: Counter[str] = Counter()
        self._owners: dict[tuple[str, str], str] = {}
        self._items: dict[str, tuple[tuple[int, int], ...]] = {}

    def acknowledge(self, order_id: str) -> None:
        """A buyer was told that the order is accepted."""
        if order_id not in self._orders:
            self._open.add(order_id)

    def forget(self) -> None:
        """The gate has lost its memory, or what it remembers is old."""
        self.gate_is_exact = False
        self.lapses += 1
        self.excused |= self._open

    def check(self) -> None:
        """Raises Violation when a promise is broken at this moment."""
        changed = self._count_orders() | self._count_payments()
        if changed:
            self._check_counters()
            for order_id in changed:
                self._check_payment(order_id)
        self._check_open()
        if not self._gate_may_give_too_much():
            self._check_gate(exact=False)

    def check_end(self) -> None:
        """Raises Violation unless everything has come to its end: no claim left, nothing stranded."""
        self.check()
        if self._open:
            raise Violation("no lost order", f"{sorted(self._open)} never had an answer")
        if claims := [id_ for held in self._gate._claims.values() for id_ in held]:
            raise Violation("no stranded ticket", f"claims {claims} are never settled")
        if held := [order.id for order in self._orders.values() if order.status is _S.RESERVED]:
            raise Violation("no stranded ticket", f"{held} are held for ever")
        self._check_given_back()
        self._check_gate(exact=True)
        if self._gate_may_give_too_much():
            return
        for event_id, buyers in self._gate._buyers.items():
            for user, has in buyers.items():
                if has > self._bought[event_id, user]:
                    raise Violation("no stranded allowance", f"the gate counts {has} tickets of {user}")

    def _count_orders(self) -> set[str]:
        changed = set()
        for order_id, order in self._ledger._orders.items():
            before = self._orders.get(order_id)
            if before is not order:
                changed.add(order_id)
                self._count_order(before, order)
        return changed

    def _count_order(self, before: Order | None, order: Order) -> None:
        was, status = None if before is None else before.status, order.status
        if was is not status and (was, status) not in _WAYS:
            raise Violation("one final answer", f"{order.id} was {was} and is {status}")
        if before is None:
            self._own_key(order)
            self._open.discard(order.id)
        for known, sign in ((before, -1), (order, 1)):
            if known is not None and known.status in _KEPT:
                for item in known.items:
                    self._tickets[item.ticket_type_id, known.status] += sign * item.quantity
                    self._bought[known.event_id, known.user_id] += sign * item.quantity
        self._orders[order.id] = order

    def _own_key(self, order: Order) -> None:
        key = self.keys.get(order.id)
        if key is None or order.reason == KEY_REUSED or order.status is _S.CANCELLED:
            return
        if (owner := self._owners.setdefault(key, order.id)) != order.id:
            raise Violation("one key, one order", f"{order.id} and {owner} have {key}")

    def _count_payments(self) -> set[str]:
        changed = set()
        for reference, payment in self._ledger._payments.items():
            before = self._payments.get(reference)
            if before is payment:
                continue
            if before is not None and (before.state, payment.state) != (
                PaymentState.APPLIED,
                PaymentState.REFUND_DUE,
            ):
                raise Violation("one final answer", f"{reference} was {before.state}, is {payment.state}")
            changed.add(payment.order_id)
            self._applied[payment.order_id] += (payment.state is PaymentState.APPLIED) - (before is not None)
            self._payments[reference] = payment
        return changed

    def _check_counters(self) -> None:
        tickets = self._tickets
        for event in self._ledger._events.values():
            for kind in event.ticket_types:
                sold, reserved = tickets[kind.id, _S.CONFIRMED], tickets[kind.id, _S.RESERVED]
                if sold + reserved > kind.capacity:
                    raise Violation(
                        "no oversell", f"type {kind.id} has {sold} + {reserved} of {kind.capacity}"
                    )
                if (kind.sold, kind.reserved) != (sold, reserved):
                    raise Violation(
                        "conservation",
                        f"type {kind.id} says {kind.sold} + {kind.reserved}, orders {sold} + {reserved}",
                    )
        limit = self.sale.max_per_buyer
        for buyer, has in self._bought.items():
            if limit is not None and has > limit:
                raise Violation("no buyer over the cap", f"{buyer} has {has} of {limit}")
            tally = self._ledger._tallies.get(buyer)
            if (0 if tally is None else tally.quantity) != has:
                raise Violation("conservation", f"the tally of {buyer} is {tally}, orders say {has}")

    def _check_given_back(self) -> None:
        """Each buyer's tally counts exactly the orders that the buyer had and has let go."""
        gone = (_S.CANCELLED, _S.EXPIRED)
        gave = Counter(
            (order.event_id, order.user_id) for order in self._orders.values() if order.status in gone
        )
        counted = {
            buyer: tally.given_back for buyer, tally in self._ledger._tallies.items() if tally.given_back
        }
        if counted != gave:
            raise Violation("once", f"orders given back: {dict(gave)}, the tallies say {counted}")

    def _check_payment(self, order_id: str) -> None:
        order = self._orders.get(order_id)
        applied = self._applied[order_id]
        paid_for = order is not None and order.status is _S.CONFIRMED
        least = 1 if paid_for and self.sale.hold_seconds else 0
        if not least <= applied <= paid_for:
            status = None if order is None else order.status
            raise Violation("once", f"{applied} payments are applied to {order_id}, which is {status}")

    def _check_open(self) -> None:
        for order_id in self._open:
            if order_id not in self.excused and not any(
                order_id in claims for claims in self._gate._claims.values()
            ):
                raise Violation(
                    "no lost order", f"{order_id} is acknowledged, and neither gate nor ledger has it"
                )

    def _check_gate(self, *, exact: bool) -> None:
        """What the gate gives and what undecided claims hold is never more than the ledger leaves unsold.

        `exact`: nor is it less.
        """
        for event_id, event in self._ledger._events.items():
            stock = self._gate._stock.get(event_id)
            if stock is None:
                continue
            pending = self._pending(event_id)
            for kind in event.ticket_types:
                gap = kind.unsold - pending.get(kind.id, 0) - stock[kind.id]
                if gap < 0 or (exact and gap > 0):
                    promise = "no ticket in two places" if gap < 0 else "no stranded ticket"
                    raise Violation(promise, f"type {kind.id} has a gap of {gap}")

    def _gate_may_give_too_much(self) -> bool:
        """Money that comes late may take what the gate still gives."""
        return not self.gate_is_exact or self.sale.late_payment is LatePayment.ACCEPT_IF_AVAILABLE

    def _pending(self, event_id: int) -> dict[int, int]:
        pending: dict[int, int] = {}
        for order_id, claim in self._gate._claims.get(event_id, {}).items():
            if order_id not in self._orders:
                if order_id not in self._items:
                    items = _decode(claim).items
                    self._items[order_id] = tuple((item.ticket_type_id, item.quantity) for item in items)
                for type_id, quantity in self._items[order_id]:
                    pending[type_id] = pending.get(type_id, 0) + quantity
        return pending
