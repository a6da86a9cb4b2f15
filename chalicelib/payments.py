"""Payments: whether a notice is really from the provider, and what follows for the order it names.

A notice is signed with a secret that the provider shares with us: HMAC-SHA256 over `<timestamp>.<body>`,
in the header `Onsale-Signature: t=<unix seconds>,v1=<hex>`. A provider that changes its secret sends a
`v1` for each; one that fits is enough. What a payment does to an order is the ledger's to decide. This
module knows no HTTP beyond that one header.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from chalicelib.errors import Rejected, Unavailable
from chalicelib.log import log
from chalicelib.metrics import emit
from chalicelib.model import Order, Payment, PaymentNotice, PaymentState
from chalicelib.order_ids import event_of
from chalicelib.restock import restock
from chalicelib.rules import is_late
from chalicelib.secret import Secret
from chalicelib.services import Services
from chalicelib.whereabouts import missing

SIGNATURE_HEADER = "Onsale-Signature"
TOLERANCE_SECONDS = 300
"""How far the provider's clock and ours may be apart, and how long a captured notice stays good."""
MAX_SIGNATURES = 4
"""Secrets that a provider may sign with at once; a change of secret needs two."""

_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Makes the header's value for `body`, sent at `timestamp` (Unix seconds)."""
    return f"t={timestamp},v1={_digest(secret, str(timestamp), body)}"


def verify(secret: Secret[str], header: str | None, body: bytes, now: datetime) -> None:
    """Checks a notice before anybody reads it; `header` is None when there was none.

    Raises Rejected("invalid-signature") unless one of the header's signatures fits `secret` and `body`, and
    its timestamp is within TOLERANCE_SECONDS of `now`. An empty secret fits nothing. Before the answer is
    no, the secret's newest value is tried, if there is one; raises Unavailable when it cannot be read.
    """
    timestamp, signatures = _parts(header or "")
    if not signatures or len(signatures) > MAX_SIGNATURES:
        raise _invalid(f"The header {SIGNATURE_HEADER} must be t=<unix seconds>,v1=<hex>.")
    if not _SECONDS.fullmatch(timestamp) or abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise _invalid(f"The signature's time is more than {TOLERANCE_SECONDS} seconds from now.")
    used = secret.value()
    if _fits(used, timestamp, signatures, body):
        return
    newer = secret.newer_than(used)
    if newer is None or not _fits(newer, timestamp, signatures, body):
        raise _invalid("No signature fits the body.")


def take(services: Services, notice: PaymentNotice) -> Payment:
    """Records a verified notice and does what follows from it; the same reference again changes nothing.

    Raises Unavailable while the order waits for its own answer, so that the provider comes again, and when
    the ledger is down (or the gate, for an order that the ledger does not know).
    """
    order = _order(services, notice.order_id)
    now = services.clock()
    payment = services.ledger.pay(notice, now)
    _note(payment, order, is_new=payment.received_at == now)
    if order is not None and is_late(order, now) and payment.state is PaymentState.APPLIED:
        restock(services, [order.event_id])  # the order found its tickets on sale and took them
    return payment


def _note(payment: Payment, order: Order | None, *, is_new: bool) -> None:
    """Writes the payment's line; one that came before is told, and not counted again."""
    about = {"orderId": payment.order_id, "state": payment.state}
    if not is_new:
        log("payment-taken", **about)
        return
    values = {"Payments": 1}
    if payment.state is PaymentState.APPLIED:
        values["Confirmed"] = 1
    event_id = None if order is None else order.event_id
    emit("payment-taken", values, fields=about, event_id=event_id, code=payment.state.value)


def _order(services: Services, order_id: str) -> Order | None:
    """The order as the ledger has it; None for one that nobody knows, and for what is no order id."""
    try:
        event_of(order_id)
    except ValueError:
        return None
    order = services.ledger.order(order_id)
    # A claim is settled after the decision is written: the order is either here, or there, or nowhere.
    if order is None:
        known = services.gate.look_up(order_id)
        if known.claim is not None:
            raise Unavailable("ledger", "the order that is paid for is not decided yet")
        if isinstance(doubt := missing(services, order_id, known), Unavailable):
            raise doubt
    return order


def _parts(header: str) -> tuple[str, list[str]]:
    """The timestamp, empty unless there is exactly one, and every `v1`; anything else is left alone."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"]
    return (timestamps[0] if len(timestamps) == 1 else ""), signatures


def _fits(secret: str, timestamp: str, signatures: list[str], body: bytes) -> bool:
    if not secret:
        return False
    wanted = _digest(secret, timestamp, body).encode()
    return any(hmac.compare_digest(wanted, given.encode(errors="replace")) for given in signatures)


def _digest(secret: str, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _invalid(detail: str) -> Rejected:
    return Rejected("invalid-signature", detail)
