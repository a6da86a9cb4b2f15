"""What callers are shown of orders, from the claim in the gate or the answer in the ledger. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, UnsetType

from chalicelib.api.answers import Output, utc
from chalicelib.model import Item, Order, OrderPlaced, OrderStatus

QUEUED = "Your order is queued; its answer will be at the address in Location."


class OrderAccepted(Output, frozen=True):
    """An order that will be decided shortly."""

    id: str
    event_id: int
    user_id: str
    items: tuple[Item, ...]
    status: OrderStatus
    total_price: int
    currency: str
    accepted_at: datetime
    message: str = QUEUED


class OrderView(Output, frozen=True, kw_only=True):
    """An order with its answer. `reason` is a rejection's problem code; `decidedAt` is null while pending.

    `expiresAt` is the moment until which a reserved order can be paid for; `detail` says what `reason`
    leaves open.
    """

    id: str
    event_id: int
    user_id: str
    items: tuple[Item, ...]
    status: OrderStatus
    reason: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    total_price: int
    currency: str
    accepted_at: datetime
    decided_at: datetime | None = None
    expires_at: datetime | UnsetType = UNSET


class OrderPage(Output, frozen=True):
    """Orders, newest first. `nextCursor` is null on the last page."""

    items: list[OrderView]
    next_cursor: str | None


def order_accepted(placed: OrderPlaced) -> OrderAccepted:
    """Shows an order that the gate has just let in."""
    return OrderAccepted(**_placed(placed))


def pending_view(placed: OrderPlaced) -> OrderView:
    """Shows an order that the gate still holds a claim for."""
    return OrderView(**_placed(placed))


def order_view(order: Order) -> OrderView:
    """Shows an order as the ledger has it."""
    return OrderView(
        id=order.id,
        event_id=order.event_id,
        user_id=order.user_id,
        items=order.items,
        status=order.status,
        reason=UNSET if order.reason is None else order.reason,
        detail=UNSET if order.detail is None else order.detail,
        total_price=order.total_price,
        currency=order.currency,
        accepted_at=order.accepted_at.astimezone(UTC),
        decided_at=utc(order.decided_at),
        expires_at=utc(order.expires_at) or UNSET,
    )


def _placed(placed: OrderPlaced) -> dict[str, Any]:
    return {
        "id": placed.order_id,
        "event_id": placed.event_id,
        "user_id": placed.user_id,
        "items": placed.items,
        "status": OrderStatus.PENDING,
        "total_price": placed.total_price,
        "currency": placed.currency,
        "accepted_at": datetime.fromtimestamp(placed.accepted_at_ms / 1000, UTC),
    }
