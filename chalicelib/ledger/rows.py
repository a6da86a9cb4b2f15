"""Turns rows of queries.sql into the words of the model. Times come out in UTC whatever the session says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.model import (
    Event,
    Item,
    LatePayment,
    Order,
    OrderStatus,
    Payment,
    PaymentOutcome,
    PaymentState,
    SalesState,
    TicketType,
)

_ticket_types = msgspec.json.Decoder(tuple[TicketType, ...]).decode
_items = msgspec.json.Decoder(tuple[Item, ...]).decode


def event_of_row(row: tuple[Any, ...]) -> Event:
    """Reads a row of create_event or read_events."""
    (event_id, name, description, currency, starts_at, open_at, close_at, per_order, per_buyer) = row[:9]
    max_cancellations, buyer_rate_limit, client_rate_limit = row[9:12]
    hold_seconds, late_payment, sales_state, organiser_id = row[12:16]
    version, created_at, updated_at, ticket_types = row[16:]
    return Event(
        id=event_id,
        name=name,
        description=description,
        currency=currency,
        ticket_types=ticket_types_of(ticket_types),
        starts_at=_utc(starts_at),
        sales_open_at=_utc(open_at),
        sales_close_at=_utc(close_at),
        max_per_order=per_order,
        max_per_buyer=per_buyer,
        max_cancellations=max_cancellations,
        buyer_rate_limit=buyer_rate_limit,
        client_rate_limit=client_rate_limit,
        hold_seconds=hold_seconds,
        late_payment=LatePayment(late_payment),
        sales_state=SalesState(sales_state),
        organiser_id=organiser_id,
        version=version,
        created_at=created_at.astimezone(UTC),
        updated_at=updated_at.astimezone(UTC),
    )


def order_of_row(row: tuple[Any, ...]) -> Order:
    """Reads a row of read_orders; columns that follow are another's."""
    order_id, event_id, user_id, items, status, total_price, currency = row[:7]
    accepted_at, reason, decided_at, expires_at, detail = row[7:12]
    return Order(
        id=order_id,
        event_id=event_id,
        user_id=user_id,
        items=_items(items),
        status=OrderStatus(status),
        total_price=total_price,
        currency=currency,
        accepted_at=accepted_at.astimezone(UTC),
        reason=reason,
        decided_at=_utc(decided_at),
        expires_at=_utc(expires_at),
        detail=detail,
    )


def payment_of_row(row: tuple[Any, ...]) -> Payment:
    """Reads a row of read_payments."""
    reference, order_id, amount, currency, outcome, state, received_at = row
    return Payment(
        reference=reference,
        order_id=order_id,
        amount=amount,
        currency=currency,
        outcome=PaymentOutcome(outcome),
        state=PaymentState(state),
        received_at=received_at.astimezone(UTC),
    )


def ticket_types_of(column: str | None) -> tuple[TicketType, ...]:
    """Reads the column of ticket types; NULL when there is none."""
    return _ticket_types(column or "[]")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
