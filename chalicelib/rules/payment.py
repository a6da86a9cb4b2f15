"""What becomes of a payment, and of the order that it is for. Pure.

No payment is lost: each ends in a state that an operator can list. It knows no provider and no signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from chalicelib.model import LatePayment, Order, OrderStatus, PaymentNotice, PaymentOutcome, PaymentState
from chalicelib.rules.life import Change, change, wanted_by_type


class Room(msgspec.Struct, frozen=True):
    """What an order that has lost its tickets could still have."""

    unsold: Mapping[int, int]
    """By ticket type id: tickets neither sold nor reserved. A type that is not here has none."""
    allowance: int | None
    """Tickets that the buyer may still have; None means no limit."""


class PaymentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about the order of a payment."""

    order: Order | None
    late_payment: LatePayment = LatePayment.REFUND
    already_paid: bool = False
    """Whether another payment was applied to the order."""
    room: Room = Room({}, None)
    """Asked for only when the order `is_late`."""


class Judgement(msgspec.Struct, frozen=True):
    """The state of the payment, and what it changes about the order, if anything."""

    state: PaymentState
    change: Change | None = None


def is_late(order: Order, now: datetime) -> bool:
    """Whether the order's hold has ended, be it recorded as expired or not yet."""
    if order.status is OrderStatus.RESERVED:
        return order.expires_at is not None and order.expires_at <= now
    return order.status is OrderStatus.EXPIRED


def judge_payment(notice: PaymentNotice, facts: PaymentFacts, now: datetime) -> Judgement:
    """Decides what becomes of a payment that has not been seen before.

    The whole price in the order's currency, before the hold ends, confirms the order. Money that comes
    late goes by the event's choice; money for an order that needs none is due back.
    """
    order = facts.order
    if notice.outcome is PaymentOutcome.FAILED:
        return Judgement(PaymentState.FAILED)
    if order is None:
        return Judgement(PaymentState.UNMATCHED)
    if (notice.amount, notice.currency) != (order.total_price, order.currency):
        return Judgement(PaymentState.REFUSED)
    return _late(order, facts) if is_late(order, now) else _in_time(order, facts)


def _in_time(order: Order, facts: PaymentFacts) -> Judgement:
    if order.status is OrderStatus.RESERVED:
        return _confirmed(order)
    if order.status is OrderStatus.CONFIRMED and not facts.already_paid:
        return Judgement(PaymentState.APPLIED)  # the event asked for no payment before it confirmed
    if order.status is OrderStatus.CANCELLED and facts.late_payment is LatePayment.PARK:
        return Judgement(PaymentState.PARKED)
    return Judgement(PaymentState.REFUND_DUE)


def _late(order: Order, facts: PaymentFacts) -> Judgement:
    if facts.late_payment is LatePayment.PARK:
        return Judgement(PaymentState.PARKED)
    if facts.late_payment is LatePayment.ACCEPT_IF_AVAILABLE and _has_room(order, facts.room):
        return _confirmed(order)
    return Judgement(PaymentState.REFUND_DUE)


def _has_room(order: Order, room: Room) -> bool:
    """An order whose expiry is not recorded yet still has its tickets; another must find some."""
    if order.status is OrderStatus.RESERVED:
        return True
    wanted = wanted_by_type(order.items)
    if room.allowance is not None and sum(wanted.values()) > room.allowance:
        return False
    return all(room.unsold.get(type_id, 0) >= quantity for type_id, quantity in wanted.items())


def _confirmed(order: Order) -> Judgement:
    return Judgement(PaymentState.APPLIED, change(order, OrderStatus.CONFIRMED))
