"""The operator's search: orders by anything they are known by, and what happened to one."""

from __future__ import annotations

from chalice.app import Response

from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.orders import order_id_of
from chalicelib.api.schemas import NoQuery, OrderLookup
from chalicelib.api.search_views import FoundView, TimelineView, found_view, timeline_view
from chalicelib.services import Services


@operation("GET /ops/find", query=OrderLookup, answers={200: FoundView}, codes=("unavailable",))
def find_orders(services: Services, _: Call, lookup: OrderLookup) -> Response:
    """Find orders by id, buyer, idempotency key or message, wherever they are."""
    from chalicelib.ops.search import find  # the door rarely needs it

    return answer(200, found_view(find(services, lookup.q, lookup.event_id or None)))


@operation(
    "GET /ops/orders/{orderId}/timeline",
    answers={200: TimelineView},
    codes=("order-not-found", "unavailable"),
)
def get_timeline(services: Services, call: Call, _: NoQuery) -> Response:
    """See what happened to an order."""
    from chalicelib.ops.search import timeline

    return answer(200, timeline_view(timeline(services, order_id_of(call))))


OPERATIONS: tuple[Operation, ...] = (find_orders, get_timeline)
