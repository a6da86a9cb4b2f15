"""The words of the trade: events, ticket types, orders and the message that carries one.

Plain frozen values. They know no store, no HTTP, no clock and no rule.
Money is an integer of minor units beside its currency; times are UTC; a field
that ends in `_ms` is milliseconds since the Unix epoch.
"""

from __future__ import annotations

from chalicelib.model.events import (
    Event,
    EventDraft,
    LatePayment,
    SalesState,
    Stock,
    Survey,
    TicketType,
    TicketTypeDraft,
)
from chalicelib.model.operators import (
    AuditRecord,
    DeadLetter,
    DeadLetterQuery,
    DeadLetterState,
    FailedAttempt,
    FailedMessage,
    LoggedAction,
    Sales,
)
from chalicelib.model.orders import (
    MESSAGE_SCHEMA,
    Item,
    LookedUp,
    Order,
    OrderIntent,
    OrderPlaced,
    OrderQuery,
    OrderStatus,
    Quota,
    Wanted,
)
from chalicelib.model.payments import Payment, PaymentNotice, PaymentOutcome, PaymentState

__all__ = [
    "MESSAGE_SCHEMA",
    "AuditRecord",
    "DeadLetter",
    "DeadLetterQuery",
    "DeadLetterState",
    "Event",
    "EventDraft",
    "FailedAttempt",
    "FailedMessage",
    "Item",
    "LatePayment",
    "LoggedAction",
    "LookedUp",
    "Order",
    "OrderIntent",
    "OrderPlaced",
    "OrderQuery",
    "OrderStatus",
    "Payment",
    "PaymentNotice",
    "PaymentOutcome",
    "PaymentState",
    "Quota",
    "Sales",
    "SalesState",
    "Stock",
    "Survey",
    "TicketType",
    "TicketTypeDraft",
    "Wanted",
]
