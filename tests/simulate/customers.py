"""What buyers and the payment provider do in one step, by the service's own code.

A step's numbers choose among what there is. Each says in a few words what came of it, and nothing is judged
here but what somebody is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import admission
from chalicelib.cancellation import cancel as cancel_order
from chalicelib.model import (
    OrderIntent,
    OrderStatus,
    PaymentNotice,
    PaymentOutcome,
    PaymentState,
    SalesState,
    Wanted,
)
from chalicelib.payments import take
from tests.simulate.promises import Violation
from tests.simulate.schedule import Step

if TYPE_CHECKING:
    from tests.simulate.world import World

_BUYERS = ("ann", "bob", "cleo")
_TOO_MUCH = 6
"""Of eight notices six are right, this one is of another amount, and the last of a payment that failed."""


def buy(world: World, step: Step) -> str:
    """A buyer orders, half of the time with one of a few keys."""
    event = world.events[step.c % len(world.events)]
    user = _BUYERS[step.a % 3]
    kinds = event.ticket_types
    type_id = kinds[step.a // 3 % len(kinds)].id
    wanted: tuple[Wanted, ...] = (Wanted(None if len(kinds) == 1 else type_id, 1 + (step.b & 7) // 5),)
    if step.b & 31 == 31 and len(kinds) > 1:
        wanted = tuple(Wanted(kind.id, 1) for kind in kinds)
    key = f"k{step.b >> 6}" if step.b & 32 else None
    world.intents += 1
    order_id = _order_id(event.id, world.clock.now_ms, world.intents)
    intent = OrderIntent(
        order_id=order_id, event_id=event.id, user_id=user, wanted=wanted, idempotency_key=key
    )
    if key is not None:
        world.promises.keys[order_id] = (user, key)
    told = world.told.get(event.id)
    sent, lapses = world.queue.sent, world.promises.lapses
    try:
        placed = admission.place(world.services, intent)
    finally:
        if order_id not in world.gate.admitted and world.sale.fallback and world.queue.sent != sent:
            world.promises.gate_is_exact = False
            world.promises.excused.add(order_id)
    off = told is not None and told.sales_state is not SalesState.OPEN and told is world.told.get(event.id)
    if off and not placed.replayed and world.promises.gate_is_exact:
        raise Violation("paused means paused", f"{placed.order.order_id} was accepted")
    if world.promises.lapses != lapses:
        world.promises.excused.add(placed.order.order_id)
    _told(world, placed, key)
    ordered = " ".join(f"{line.quantity} of type {line.ticket_type_id}" for line in placed.order.items)
    again = ", again" if placed.replayed else ""
    return f"{ordered} by {user} with key {key}: 202 {_short(placed.order.order_id)}{again}"


def _told(world: World, placed: admission.Placed, key: str | None) -> None:
    order = placed.order
    if all(order.order_id != known.order_id for known in world.orders):
        world.orders.append(order)
    world.promises.acknowledge(order.order_id)
    if key is None or not world.promises.gate_is_exact:
        return
    before = world.acknowledged.setdefault((order.event_id, order.user_id, key), order.order_id)
    if before != order.order_id:
        raise Violation("one key, one order", f"{before} and {order.order_id} were both answered")


def pay(world: World, step: Step) -> str:
    """The provider reports a payment for an order, or one that it has reported before."""
    if not world.orders:
        return "nothing"
    if world.notices and step.b & 3 == 3:
        return report(world, world.notices[step.a % len(world.notices)])
    order = world.orders[step.a % len(world.orders)]
    variant = step.c % 8
    notice = PaymentNotice(
        reference=f"p{len(world.notices) + 1}",
        order_id=order.order_id,
        amount=order.total_price + (variant == _TOO_MUCH),
        currency=order.currency,
        outcome=PaymentOutcome.SUCCEEDED if variant <= _TOO_MUCH else PaymentOutcome.FAILED,
    )
    world.notices.append(notice)
    world.unheard[notice.reference] = notice
    return report(world, notice)


def report(world: World, notice: PaymentNotice) -> str:
    """The provider sends a notice, which it does until it is heard."""
    payment = take(world.services, notice)
    world.unheard.pop(notice.reference, None)
    known = notice.order_id in world.promises.excused or not world.promises.gate_is_exact
    if payment.state is PaymentState.UNMATCHED and not known:
        raise Violation("no lost order", f"{notice.reference} is for an acknowledged order, and unmatched")
    return f"{notice.reference} for {_short(notice.order_id)}: {payment.state}"


def cancel(world: World, step: Step) -> str:
    """A buyer cancels an order that was acknowledged."""
    if not world.orders:
        return "nothing"
    order = cancel_order(world.services, world.orders[step.a % len(world.orders)].order_id)
    if order.status is not OrderStatus.CANCELLED:
        raise Violation("one final answer", f"{order.id} was said to be cancelled and is {order.status}")
    return _short(order.id)


def _order_id(event_id: int, now_ms: int, number: int) -> str:
    """An id as `order_ids` makes them, with a number where chance would be."""
    text = f"{now_ms:012x}"
    return f"{text[:8]}-{text[8:]}-7{number:03x}-8000-{event_id:012x}"


def _short(order_id: str) -> str:
    """An order's number, for people."""
    return f"order {int(order_id[15:18], 16)}"
