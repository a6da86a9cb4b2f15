"""The orders resource: a buyer asks for tickets, and asks what became of it.

Where an order is found is known to `whereabouts`; here is only how it is asked for and shown.
"""

from __future__ import annotations

from chalice.app import Response
from msgspec import UNSET, UnsetType

from chalicelib import admission
from chalicelib.api import idempotency
from chalicelib.api.access import Caller, Reach
from chalicelib.api.clients import client_of
from chalicelib.api.cursors import before_order, read_before_order
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.order_lines import note_acceptance, note_problem
from chalicelib.api.order_views import (
    OrderAccepted,
    OrderPage,
    OrderView,
    order_accepted,
    order_view,
    pending_view,
)
from chalicelib.api.problems import RETRY_AFTER_SECONDS
from chalicelib.api.quotas import NAMES, quota_headers
from chalicelib.api.schemas import NewOrder, NoQuery, OrderSearch
from chalicelib.cancellation import cancel
from chalicelib.errors import InvalidRequest, Rejected
from chalicelib.filling import filled
from chalicelib.model import AuditRecord, Order, OrderIntent, OrderPlaced, OrderQuery, OrderStatus, Wanted
from chalicelib.order_ids import event_of, new_order_id
from chalicelib.services import Services
from chalicelib.whereabouts import find, no_such_order

_RETRY = {"Retry-After": RETRY_AFTER_SECONDS}
_ONE_FORM = "give exactly one of quantity and items"


@operation(
    "POST /orders",
    body=NewOrder,
    headers={idempotency.HEADER: idempotency.PARAMETER},
    answers={202: OrderAccepted},
    sends=("Location", "Retry-After", "Idempotent-Replayed", *NAMES),
    codes=(
        "event-not-found",
        "ticket-type-not-found",
        "sold-out",
        "not-enough-tickets",
        "sale-not-open",
        "sale-closed",
        "sale-paused",
        "order-limit-exceeded",
        "buyer-limit-exceeded",
        "idempotency-key-reused",
        "rate-limited",
        "unavailable",
    ),
    note=note_problem,
)
def place_order(services: Services, call: Call, body: NewOrder) -> Response:
    """Ask for tickets."""
    call.event_id = body.event_id
    intent = OrderIntent(
        order_id=new_order_id(body.event_id, int(services.clock().timestamp() * 1000)),
        event_id=body.event_id,
        user_id=_buyer(call.caller, body.user_id),
        wanted=_wanted(body),
        client=client_of(call.request.context),
        idempotency_key=idempotency.key_of(call.headers.get(idempotency.HEADER)),
    )
    placed = admission.place(services, intent)
    order = placed.order
    headers = {"Location": call.link(f"/orders/{order.order_id}"), **_RETRY}
    if placed.replayed:
        headers["Idempotent-Replayed"] = "true"
    if placed.quota is not None:
        headers |= quota_headers(placed.quota)
    response = answer(202, order_accepted(order), headers)
    note_acceptance(call, placed)
    return response


@operation(
    "GET /orders/{orderId}",
    answers={200: OrderView},
    sends=("Retry-After",),
    codes=("order-not-found", "unavailable"),
)
def get_order(services: Services, call: Call, _: NoQuery) -> Response:
    """Read an order, from the moment of its 202 on."""
    order = _in_reach(services, call)
    if isinstance(order, OrderPlaced):
        return answer(200, pending_view(order), _RETRY)
    return answer(200, order_view(order), _RETRY if order.status is OrderStatus.PENDING else None)


@operation("GET /orders", query=OrderSearch, answers={200: OrderPage}, codes=("unavailable",))
def list_orders(services: Services, call: Call, search: OrderSearch) -> Response:
    """List orders, newest first; a buyer's own."""
    user_id = _whose(call.caller, search.user_id)
    before = read_before_order(search.cursor) if search.cursor else None
    if search.status is OrderStatus.PENDING:
        return _pending(services, search, user_id, before)
    query = OrderQuery(
        event_id=search.event_id or None,
        user_id=user_id,
        status=search.status or None,
        before=before,
        limit=search.limit + 1,
    )
    orders = services.ledger.orders(query)
    shown = [order_view(order) for order in orders[: search.limit]]
    more = before_order(shown[-1].id) if len(orders) > search.limit else None
    return answer(200, OrderPage(items=shown, next_cursor=more))


@operation(
    "DELETE /orders/{orderId}",
    answers={200: OrderView},
    codes=("order-not-found", "order-not-cancellable", "unavailable"),
)
def cancel_order(services: Services, call: Call, _: NoQuery) -> Response:
    """Cancel an order; its tickets go back on sale, and what was paid is due back."""
    if call.caller.reach is Reach.OWN:
        _in_reach(services, call)
    order = cancel(services, order_id_of(call))
    if call.caller.subject is not None and call.caller.reach is Reach.ANY:
        services.ledger.record_action(
            AuditRecord(services.clock(), call.caller.actor, "order-cancelled", f"order {order.id}")
        )
    return answer(200, order_view(order))


OPERATIONS: tuple[Operation, ...] = (place_order, get_order, list_orders, cancel_order)


def _buyer(caller: Caller, given: str | UnsetType) -> str:
    """Who buys: the token's subject; in open mode whoever the body says. Raises InvalidRequest."""
    if caller.subject is None:
        if isinstance(given, UnsetType):
            raise InvalidRequest([("userId", "is required")])
        return given
    if given not in {UNSET, caller.subject}:
        raise InvalidRequest([("userId", "must be the token's subject, or absent")])
    return caller.subject


def _whose(caller: Caller, given: str | UnsetType) -> str | None:
    """Whose orders to list; None is everybody's. Raises Rejected("forbidden")."""
    if caller.reach is Reach.ANY:
        return given or None
    if given not in {UNSET, caller.subject}:
        raise Rejected("forbidden", "Another buyer's orders are not for you.")
    return caller.subject


def _in_reach(services: Services, call: Call) -> OrderPlaced | Order:
    """Finds the order in the path. A stranger's is not found: that there is one is nobody else's business."""
    order = find(services, order_id_of(call))
    if not call.caller.reaches(order.user_id):
        raise no_such_order()
    return order


def _wanted(body: NewOrder) -> tuple[Wanted, ...]:
    """Reads the short or the long form. Raises InvalidRequest unless it is exactly one of them."""
    quantity, items = body.quantity, body.items
    if isinstance(items, UnsetType):
        if isinstance(quantity, UnsetType):
            raise InvalidRequest([("quantity", _ONE_FORM)])
        return (Wanted(None, quantity),)
    if not isinstance(quantity, UnsetType):
        raise InvalidRequest([("quantity", _ONE_FORM)])
    seen: set[int] = set()
    for index, item in enumerate(items):
        if item.ticket_type_id in seen:
            raise InvalidRequest([(f"items[{index}].ticketTypeId", "must not be named twice in one order")])
        seen.add(item.ticket_type_id)
    return tuple(Wanted(item.ticket_type_id, item.quantity) for item in items)


def order_id_of(call: Call) -> str:
    """Reads the order id in the path. Raises Rejected("order-not-found") for what is no order id."""
    order_id = call.path["orderId"].lower()
    try:
        event_of(order_id)
    except ValueError:
        raise no_such_order() from None
    return order_id


def _pending(services: Services, search: OrderSearch, user_id: str | None, before: str | None) -> Response:
    """Lists claims. The gate keeps them by event: a page of one buyer's may be short or empty, and go on."""
    if isinstance(search.event_id, UnsetType):
        raise InvalidRequest([("eventId", "is required with status=pending")])
    event_id = search.event_id
    claims = filled(services, event_id, lambda: services.gate.pending(event_id, before, search.limit + 1))
    page = claims[: search.limit]
    more = before_order(page[-1].order_id) if len(claims) > search.limit else None
    shown = [pending_view(claim) for claim in page if user_id in {None, claim.user_id}]
    return answer(200, OrderPage(items=shown, next_cursor=more))
