"""What an operator looks at: payments by what became of them, and whether every ticket is accounted for."""

from __future__ import annotations

from chalice.app import Response

from chalicelib.api.cursors import after_payment, read_after_payment
from chalicelib.api.events import event_in_reach
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.ops_views import ConservationView, PaymentPage, conservation_view, payment_view
from chalicelib.api.schemas import NoQuery, PaymentSearch
from chalicelib.services import Services


@operation("GET /ops/payments", query=PaymentSearch, answers={200: PaymentPage}, codes=("unavailable",))
def list_payments(services: Services, _: Call, search: PaymentSearch) -> Response:
    """List payments, newest first; those to be paid back are `state=refund-due`."""
    after = read_after_payment(search.cursor) if search.cursor else None
    found = services.ledger.payments(search.state or None, after, search.limit + 1)
    shown = [payment_view(payment) for payment in found[: search.limit]]
    more = after_payment(shown[-1].reference) if len(found) > search.limit else None
    return answer(200, PaymentPage(items=shown, next_cursor=more))


@operation(
    "GET /ops/events/{eventId}/conservation",
    answers={200: ConservationView},
    codes=("event-not-found", "unavailable"),
)
def get_conservation(services: Services, call: Call, _: NoQuery) -> Response:
    """See where every ticket of an event is."""
    from chalicelib.realign import conservation  # the door rarely needs it

    return answer(200, conservation_view(conservation(services, event_in_reach(services, call))))


OPERATIONS: tuple[Operation, ...] = (list_payments, get_conservation)
