"""What callers may send: the bodies and the query parameters, with every bound that a type can state.

The OpenAPI document is made from these types. Rules between fields are in `events_input.py` and
`orders.py`. Unknown fields are refused; numbers and booleans are never read from text in a body.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.model import DeadLetterState, LatePayment, OrderStatus, PaymentOutcome, PaymentState

MAX_ID = 2**31 - 1
"""Event and ticket type ids are PostgreSQL integers, and an order id keeps 31 bits for its event."""
MAX_TICKETS = 2**31 - 1
MAX_QUANTITY = 1_000_000
"""Tickets in one line of an order: above any real wish, below any overflow."""
MAX_PRICE = 1_000_000_000
MAX_AMOUNT = 10**18
"""Minor units: above the dearest order there can be, below PostgreSQL's bigint."""
MAX_RATE = 100_000
"""Requests a minute: more than one event's slot of an ElastiCache cluster answers for one address."""
BUYER_RATE = 120
"""Two orders a second: no hand is as fast for a whole minute."""
CLIENT_RATE = 6_000
"""Behind one address may be a university."""
MAX_CANCELLATIONS = 20
"""Orders that one buyer has given back when there is no further one."""
MAX_HOLD_SECONDS = 7 * 86_400
"""A week; whoever holds tickets longer without paying keeps them from others."""

LONGEST_CURVE_SECONDS = 18_000
"""Five hours: 300 buckets of a minute."""

# `$` would let a final line feed pass; PostgreSQL takes neither NUL nor lone surrogates.
LINE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*(?![\s\S])"
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]*(?![\s\S])"
CURRENCY = r"^[A-Z]{3}(?![\s\S])"
VISIBLE = r"^[!-~]*(?![\s\S])"

Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
Description = Annotated[str, Meta(max_length=5_000, pattern=TEXT)]
UserId = Annotated[str, Meta(min_length=1, max_length=128, pattern=LINE)]
Buyer = Annotated[UserId, Meta(description="Who buys. A token's bearer may leave it out; nobody else may.")]
Currency = Annotated[str, Meta(pattern=CURRENCY, description="ISO 4217 code")]
Price = Annotated[int, Meta(ge=0, le=MAX_PRICE, description="Minor units of the event's currency")]
Tickets = Annotated[int, Meta(ge=1, le=MAX_TICKETS)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, with an offset")]
OrderName = Annotated[str, Meta(min_length=1, max_length=128, pattern=LINE)]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="Minor units of the currency")]
Reference = Annotated[
    str,
    Meta(
        min_length=1, max_length=128, pattern=VISIBLE, description="The provider's own name for the payment"
    ),
]
HoldSeconds = Annotated[
    int,
    Meta(ge=0, le=MAX_HOLD_SECONDS, description="Seconds to pay in; 0 confirms orders without payment"),
]
Rate = Annotated[int, Meta(ge=1, le=MAX_RATE, description="Orders asked for in a minute")]
Cancellations = Annotated[
    int,
    Meta(ge=1, le=1_000, description="Orders cancelled or left to expire, after which a buyer gets no more"),
]
Reason = Annotated[
    str, Meta(max_length=500, pattern=TEXT, description="Why; it is kept in the operators' log")
]
CurveSeconds = Annotated[
    int, Meta(ge=1, le=LONGEST_CURVE_SECONDS, description="How much of the sale the curve shows")
]
PageSize = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(min_length=1, max_length=200, description="`nextCursor` of the page before")]


MessageId = Annotated[str, Meta(min_length=1, max_length=100, pattern=VISIBLE, description="SQS's own")]
PartOfReason = Annotated[str, Meta(min_length=1, max_length=200, pattern=TEXT, description="In any case")]
Why = Annotated[str, Meta(max_length=500, pattern=TEXT, description="Why it is done; kept in the log")]


class Input(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Everything read from a caller: camelCase, and nothing that is not declared."""


class NewTicketType(Input, frozen=True):
    """One kind of ticket to be sold."""

    name: Name
    price: Price
    capacity: Tickets


class NewEvent(Input, frozen=True):
    """An event to be sold. Exactly one of `totalTickets` (short form) and `ticketTypes` (long form)."""

    name: Name
    description: Description
    total_tickets: Tickets | UnsetType = UNSET
    ticket_types: Annotated[list[NewTicketType], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    currency: Currency = "EUR"
    starts_at: Moment | None = None
    sales_open_at: Moment | None = None
    sales_close_at: Moment | None = None
    max_per_order: Tickets | None = None
    max_per_buyer: Tickets | None = None
    max_cancellations: Cancellations | None = MAX_CANCELLATIONS
    buyer_rate_limit: Rate | None = BUYER_RATE
    client_rate_limit: Rate | None = CLIENT_RATE
    hold_seconds: HoldSeconds | None = None
    late_payment: LatePayment = LatePayment.REFUND


class EventPatch(Input, frozen=True):
    """Changes of an event, at least one. null takes a time or a limit away; an absent field stays."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    sales_open_at: Moment | UnsetType | None = UNSET
    sales_close_at: Moment | UnsetType | None = UNSET
    max_per_order: Tickets | UnsetType | None = UNSET
    max_per_buyer: Tickets | UnsetType | None = UNSET
    max_cancellations: Cancellations | UnsetType | None = UNSET
    buyer_rate_limit: Rate | UnsetType | None = UNSET
    client_rate_limit: Rate | UnsetType | None = UNSET


class WantedItem(Input, frozen=True):
    """So many tickets of one type."""

    ticket_type_id: Id
    quantity: Quantity


class NewOrder(Input, frozen=True):
    """A wish for tickets. Exactly one of `quantity` (events with one ticket type only) and `items`."""

    event_id: Id
    user_id: Buyer | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    items: Annotated[list[WantedItem], Meta(min_length=1, max_length=20)] | UnsetType = UNSET


class PaymentEvent(Input, frozen=True):
    """What the payment provider reports: one reference, one attempt to pay for an order."""

    reference: Reference
    order_id: OrderName
    amount: Amount
    currency: Currency
    outcome: PaymentOutcome


class NoQuery(Input, frozen=True):
    """The call takes no query parameters."""


class SwitchQuery(Input, frozen=True):
    """Why a sale is switched."""

    reason: Why = ""


class LetterFilter(Input, frozen=True):
    """Which of the messages that lie dead; at least one of these."""

    event_id: Id | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET
    reason: PartOfReason | UnsetType = UNSET


class Selection(Input, frozen=True):
    """Which dead letters. Exactly one of `messageIds`, `filter` and `all: true`."""

    message_ids: Annotated[list[MessageId], Meta(min_length=1, max_length=500)] | UnsetType = UNSET
    filter: LetterFilter | UnsetType = UNSET
    all: bool = False


class Redrive(Selection, frozen=True):
    """Which dead letters to try again, and why."""

    reason: Why = ""


class Deletion(Input, frozen=True):
    """Which dead letters to give up, and why."""

    message_ids: Annotated[list[MessageId], Meta(min_length=1, max_length=100)]
    reason: Annotated[Why, Meta(min_length=1)]


SELECTION: dict[str, object] = {
    "oneOf": [
        {"required": ["messageIds"]},
        {"required": ["filter"]},
        {"required": ["all"], "properties": {"all": {"const": True}}},
    ]
}
BETWEEN_FIELDS: dict[str, dict[str, object]] = {
    "NewEvent": {"oneOf": [{"required": ["totalTickets"]}, {"required": ["ticketTypes"]}]},
    "EventPatch": {"minProperties": 1},
    "LetterFilter": {"minProperties": 1},
    "Selection": SELECTION,
    "Redrive": SELECTION,
    "NewOrder": {"oneOf": [{"required": ["quantity"]}, {"required": ["items"]}]},
}
"""Rules that a type cannot state, as JSON Schema says them, by the type's name."""


class Page(Input, frozen=True):
    """Which page of a list."""

    cursor: Cursor | UnsetType = UNSET
    limit: PageSize = 50


class OrderSearch(Page, frozen=True):
    """Which orders. `status=pending` needs `eventId`; without a status, only decided orders are listed."""

    event_id: Id | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET
    status: OrderStatus | UnsetType = UNSET


class OrderLookup(Input, frozen=True):
    """Which order: anything that it is known by."""

    q: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            pattern=LINE,
            description="An order id, a buyer, an idempotency key, or the id of a message that failed",
        ),
    ]
    event_id: Id | UnsetType = UNSET


class PaymentSearch(Page, frozen=True):
    """Which payments; without a state, all of them."""

    state: PaymentState | UnsetType = UNSET


class LetterSearch(Page, frozen=True):
    """Which messages that failed; without a state, all of them."""

    event_id: Id | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET
    reason: PartOfReason | UnsetType = UNSET
    state: DeadLetterState | UnsetType = UNSET


class SaleFrame(Input, frozen=True):
    """Which time a sell curve shows: so many seconds until `endsAt`, by default until now."""

    seconds: CurveSeconds = 300
    ends_at: Moment | UnsetType = UNSET


class Switching(Input, frozen=True):
    """Why somebody throws a switch."""

    reason: Reason = ""
