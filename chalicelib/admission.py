"""What happens between the door and the 202: the gate says yes, then the queue has the order.

A request that comes again with its idempotency key gets the order that it got before. Knows no HTTP.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from chalicelib.aws.answers import AwsRefused
from chalicelib.errors import Unavailable
from chalicelib.filling import filled
from chalicelib.gate.refusals import KeyForgotten, NotLoaded, Settled, refusal
from chalicelib.log import log
from chalicelib.model import MESSAGE_SCHEMA, Order, OrderIntent, OrderPlaced, Quota, Stock

if TYPE_CHECKING:  # a door that refuses must not wait for the drivers of the other stores
    from chalicelib.gate.quotas import Claim
    from chalicelib.services import Services

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(OrderPlaced).decode


class Placed(msgspec.Struct, frozen=True):
    """An accepted order. `replayed`: it was accepted before, and the request came again with its key.

    `quota` is what its buyer may still ask for; None when nobody counts, and for a replay.
    """

    order: OrderPlaced
    replayed: bool
    quota: Quota | None = None


def place(services: Services, intent: OrderIntent) -> Placed:
    """Admits one order and puts it on the queue, once for each buyer and idempotency key.

    Raises Rejected with the gate's reason, `event-not-found`, `idempotency-key-reused`, or Unavailable;
    after an ambiguous Unavailable the claim stays, and the reconciler sees to it that it is decided.
    With the setting `gate_fallback` a gate that is down lets everybody in, and the ledger decides.
    """
    if intent.idempotency_key is not None:
        intent = msgspec.structs.replace(intent, request_digest=digest(intent))
    try:
        claim = _admitted(services, intent)
    except Settled as known:
        return Placed(_settled(services, known.order_id), True)
    except Unavailable as error:
        if error.part != "gate" or services.settings.gate_fallback != "ledger":
            raise
        return _unchecked(services, intent, error)
    order = _decode(claim)
    replayed = order.order_id != intent.order_id
    try:
        # A replay is sent, too: nobody knows whether the first request lived to send it.
        services.queue.send(claim.decode(), str(intent.event_id))
    except (Unavailable, AwsRefused) as error:
        if not replayed and not getattr(error, "ambiguous", False):
            _withdraw(services, intent)
        raise
    return Placed(order, replayed, claim.quota)


def availability(services: Services, event_id: int) -> tuple[list[Stock], datetime]:
    """Tells what the gate can still give, by ticket type, and as of when.

    Raises Rejected("event-not-found") or Unavailable.
    """

    def look() -> tuple[list[Stock], datetime]:
        found = services.gate.availability(event_id)
        if found is None:
            raise NotLoaded
        return found

    return filled(services, event_id, look)


def digest(intent: OrderIntent) -> str:
    """What an intent asks for, in 24 characters: the same event and lines have the same digest."""
    return hashlib.sha256(_encode((intent.event_id, intent.wanted))).hexdigest()[:24]


def _admitted(services: Services, intent: OrderIntent) -> Claim:
    """Asks the gate; when it may have forgotten the key, asks the ledger first, and then the gate again."""
    try:
        return filled(services, intent.event_id, lambda: services.gate.admit(intent))
    except KeyForgotten:
        _raise_if_known(services, intent)
    return filled(services, intent.event_id, lambda: services.gate.admit(intent, key_is_new=True))


def _raise_if_known(services: Services, intent: OrderIntent) -> None:
    """Raises Settled with the order that has the key, or Rejected when it came with another request."""
    if intent.idempotency_key is None:
        return
    known = services.ledger.order_by_key(intent.user_id, intent.idempotency_key)
    if known is None:
        return
    order, request_digest = known
    if request_digest != intent.request_digest:
        raise refusal("idempotency-key-reused")
    raise Settled(order.id)


def _settled(services: Services, order_id: str) -> OrderPlaced:
    """Reads a decided order back as it was accepted."""
    order = services.ledger.order(order_id)
    if order is None:
        raise Unavailable("ledger", f"the key's order {order_id} is neither in the gate nor in the ledger")
    return _as_accepted(order)


def _as_accepted(order: Order) -> OrderPlaced:
    return OrderPlaced(
        schema=MESSAGE_SCHEMA,
        order_id=order.id,
        event_id=order.event_id,
        user_id=order.user_id,
        currency=order.currency,
        items=order.items,
        accepted_at_ms=round(order.accepted_at.timestamp() * 1000),
    )


def _unchecked(services: Services, intent: OrderIntent, cause: Unavailable) -> Placed:
    """Puts an order on the queue that no gate has seen; the ledger decides whether there are tickets for it.

    A claim that the gate made before it went down has the same order id, and is settled with it.
    """
    from chalicelib.unchecked import accept

    try:
        _raise_if_known(services, intent)
    except Settled as known:
        return Placed(_settled(services, known.order_id), True)
    order = accept(services.ledger.event(intent.event_id), intent, services.clock())
    log("order-unchecked", "warning", orderId=order.order_id, eventId=order.event_id, cause=cause.detail)
    services.queue.send(_encode(order).decode(), str(order.event_id))
    return Placed(order, False)


def _withdraw(services: Services, intent: OrderIntent) -> None:
    """Takes back the claim of an order that the queue certainly does not have."""
    try:
        services.gate.withdraw(intent)
    except Unavailable:
        log("claim-kept", orderId=intent.order_id, eventId=intent.event_id)
