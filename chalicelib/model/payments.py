"""A payment, as its provider tells it and as it is judged."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class PaymentOutcome(StrEnum):
    """What the provider says of a payment."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentState(StrEnum):
    """What became of a payment here; an operator lists them by it."""

    APPLIED = "applied"
    REFUSED = "refused"
    REFUND_DUE = "refund-due"
    PARKED = "parked"
    FAILED = "failed"
    UNMATCHED = "unmatched"


class PaymentNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment provider reports: one reference, one attempt to pay. `amount` is minor units."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: PaymentOutcome


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's notice and what became of it here."""

    reference: str
    order_id: str
    amount: int
    currency: str
    outcome: PaymentOutcome
    state: PaymentState
    received_at: datetime
