"""Finds an order wherever it is on its way: in its claim, in the ledger, or where nobody can look.

The gate knows an order from its 202 on, the ledger from its decision on. A claim is settled only after the
decision is written, so an order is never in neither, unless the gate has lost its memory: then an order that
waits on the queue is nowhere to be seen, and nobody may say that there is none. Knows no HTTP and no SQL.
"""

from __future__ import annotations

from chalicelib.errors import OnsaleError, Rejected, Unavailable, Undecided
from chalicelib.model import LookedUp, Order, OrderPlaced
from chalicelib.order_ids import accepted_ms, event_of
from chalicelib.services import Services

ON_THE_WAY_MS = 4 * 24 * 60 * 60 * 1_000
"""A message waits on the queue no longer: SQS's retention unless a queue has another (SQS API reference,
CreateQueue). Usually it is there for milliseconds, in an outage for as long as that lasts."""
CLOCK_SKEW_MS = 5_000
"""How much later than by Valkey's clock a door may believe that it is, when it makes an order's id."""
_CANNOT_TELL = "Whether there is an order with this id cannot be told at the moment; try again shortly."


def find(services: Services, order_id: str) -> OrderPlaced | Order:
    """Returns the order: its claim until it is decided, then what the ledger has.

    Raises Rejected("order-not-found"), or Unavailable: the ledger is down, or the gate and the ledger does
    not know the order, or it may be on its way where neither sees it (Undecided).
    """
    known, failure = look_up(services, order_id)
    if known.claim is not None and known.filled_at_ms is not None:
        return known.claim
    order = services.ledger.order(order_id) or known.claim
    if order is None:
        raise failure or missing(services, order_id, known)
    return order


def look_up(services: Services, order_id: str) -> tuple[LookedUp, Unavailable | None]:
    """Asks the gate; one that is down must not hide what the ledger has decided."""
    try:
        return services.gate.look_up(order_id), None
    except Unavailable as error:
        return LookedUp(), error


def missing(services: Services, order_id: str, known: LookedUp) -> OnsaleError:
    """What to say of an order that neither store has; `known` is what the gate answered.

    Undecided while a message may be on its way that only a gate that forgot it could tell of: the id is from
    before the gate was filled, or the gate is cold; else Rejected("order-not-found"). Raises Unavailable.
    """
    now_ms = round(services.clock().timestamp() * 1_000)
    latest_ms = now_ms if known.filled_at_ms is None else known.filled_at_ms
    if not now_ms - ON_THE_WAY_MS < accepted_ms(order_id) <= latest_ms + CLOCK_SKEW_MS:
        return no_such_order()
    try:
        services.ledger.event(event_of(order_id))
    except Rejected:
        return no_such_order()
    return Undecided("gate", _CANNOT_TELL)


def no_such_order() -> Rejected:
    """Said in the same words to whoever asks for what is not there and for what is a stranger's."""
    return Rejected("order-not-found", "There is no order with this id.")
