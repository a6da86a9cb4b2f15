"""The life of a decided order: what it may become, and what that moves on the counters. Pure.

It knows neither why an order changes (payment, expiry, the buyer's wish) nor where the counters are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from chalicelib.errors import Rejected
from chalicelib.model import Item, Order, OrderStatus

_COUNTED = {OrderStatus.CONFIRMED: (1, 0), OrderStatus.RESERVED: (0, 1)}
"""By status: whether the order's tickets count as sold, and whether as reserved. Else they are for sale."""

_GIVEN_BACK = frozenset({OrderStatus.EXPIRED, OrderStatus.CANCELLED})
"""The buyer had the tickets, and has let them go."""

_WAYS = frozenset(
    {
        (OrderStatus.RESERVED, OrderStatus.CONFIRMED),
        (OrderStatus.RESERVED, OrderStatus.EXPIRED),
        (OrderStatus.RESERVED, OrderStatus.CANCELLED),
        (OrderStatus.CONFIRMED, OrderStatus.CANCELLED),
        (OrderStatus.EXPIRED, OrderStatus.CONFIRMED),  # money came late, and there was still room
    }
)


class StockMove(msgspec.Struct, frozen=True):
    """So many more, or fewer, tickets of a type are sold and reserved."""

    ticket_type_id: int
    sold: int
    reserved: int


class TallyMove(msgspec.Struct, frozen=True):
    """A buyer has so many more, or fewer, tickets of an event, and has given back so many orders more."""

    event_id: int
    user_id: str
    quantity: int
    given_back: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An order goes from one status to another, with everything that this moves: all of it or nothing."""

    order_id: str
    before: OrderStatus
    after: OrderStatus
    stock: tuple[StockMove, ...]
    tallies: tuple[TallyMove, ...]


def change(order: Order, after: OrderStatus) -> Change:
    """Works out what it moves when the order's status becomes `after`.

    Raises ValueError when no order goes that way.
    """
    if (order.status, after) not in _WAYS:
        raise ValueError(f"no order goes from {order.status} to {after}")
    had, has = _COUNTED.get(order.status, (0, 0)), _COUNTED.get(after, (0, 0))
    sold, reserved = has[0] - had[0], has[1] - had[1]
    wanted = wanted_by_type(order.items)
    moves = tuple(
        StockMove(type_id, quantity * sold, quantity * reserved) for type_id, quantity in wanted.items()
    )
    more = sum(wanted.values()) * (sold + reserved)
    given_back = (after in _GIVEN_BACK) - (order.status in _GIVEN_BACK)
    tallies = (TallyMove(order.event_id, order.user_id, more, given_back),) if more else ()
    return Change(order_id=order.id, before=order.status, after=after, stock=moves, tallies=tallies)


def sum_of(changes: Iterable[Change]) -> tuple[tuple[StockMove, ...], tuple[TallyMove, ...]]:
    """Adds up what changes of several orders move: one move a ticket type, one a buyer."""
    stock: dict[int, StockMove] = {}
    tallies: dict[tuple[int, str], TallyMove] = {}
    for each in changes:
        for move in each.stock:
            before = stock.get(move.ticket_type_id, StockMove(move.ticket_type_id, 0, 0))
            stock[move.ticket_type_id] = StockMove(
                move.ticket_type_id, before.sold + move.sold, before.reserved + move.reserved
            )
        for tally in each.tallies:
            buyer = (tally.event_id, tally.user_id)
            had = tallies.get(buyer, TallyMove(*buyer, 0, 0))
            tallies[buyer] = TallyMove(
                *buyer, had.quantity + tally.quantity, had.given_back + tally.given_back
            )
    return tuple(stock.values()), tuple(tallies.values())


def judge_cancel(order: Order) -> Change | None:
    """Decides what cancelling a decided order changes; None when it is cancelled already.

    Raises Rejected("order-not-cancellable") for an order that has no tickets to give back.
    """
    if order.status is OrderStatus.CANCELLED:
        return None
    if (order.status, OrderStatus.CANCELLED) not in _WAYS:
        raise Rejected(
            "order-not-cancellable", f"The order is {order.status.value}.", status=order.status.value
        )
    return change(order, OrderStatus.CANCELLED)


def wanted_by_type(items: Iterable[Item]) -> Mapping[int, int]:
    """Counts an order's tickets by type id: a type that comes twice counts together."""
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.ticket_type_id] = wanted.get(item.ticket_type_id, 0) + item.quantity
    return wanted
