"""The payment provider's door: signed notices come in, and nothing else is believed here."""

from __future__ import annotations

from chalice.app import Request, Response

from chalicelib import payments
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.ops_views import PaymentTaken
from chalicelib.api.schemas import PaymentEvent
from chalicelib.errors import Rejected
from chalicelib.model import PaymentNotice
from chalicelib.services import Services

SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": payments.SIGNATURE_HEADER,
    "description": (
        "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 with the shared secret over `<t>.<body>`, not more than "
        f"{payments.TOLERANCE_SECONDS} seconds from now; up to {payments.MAX_SIGNATURES} `v1` may be given"
    ),
}


def _signed(services: Services, request: Request) -> None:
    """Lets nobody in who does not know the secret; they do not even hear what is wrong with their body."""
    header = request.headers.get(payments.SIGNATURE_HEADER)
    try:
        body = request.raw_body
    except UnicodeError:
        raise Rejected("invalid-signature", "No signature fits the body.") from None
    raw = body.encode() if isinstance(body, str) else body
    payments.verify(services.payment_secret, header, raw, services.clock())


@operation(
    "POST /payments/events",
    body=PaymentEvent,
    security={"signature": SIGNATURE},
    answers={200: PaymentTaken},
    codes=("invalid-signature", "unavailable"),
    guard=_signed,
)
def take_payment(services: Services, _: Call, body: PaymentEvent) -> Response:
    """Report a payment, once or several times."""
    notice = PaymentNotice(
        reference=body.reference,
        order_id=body.order_id.lower(),
        amount=body.amount,
        currency=body.currency,
        outcome=body.outcome,
    )
    taken = payments.take(services, notice)
    return answer(200, PaymentTaken(reference=taken.reference, order_id=taken.order_id, state=taken.state))


OPERATIONS: tuple[Operation, ...] = (take_payment,)
