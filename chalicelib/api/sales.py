"""What operators look at while a sale runs, and their switch for the queue: fulfilment, on or off.

The switches of a sale itself are the event's (`events.py`).
"""

from __future__ import annotations

from chalice.app import Response

from chalicelib.api import problems
from chalicelib.api.events import event_in_reach
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.orders import place_order
from chalicelib.api.sale_views import (
    FulfilmentView,
    MeView,
    QueueView,
    SaleView,
    fulfilment_view,
    queue_view,
    sale_view,
)
from chalicelib.api.schemas import NoQuery, SaleFrame, Switching
from chalicelib.identity.principal import Role
from chalicelib.services import Services

REFUSALS = tuple(code for code in place_order.all_codes() if 400 <= problems.status_of(code) < 500)
"""What the door may say no with."""
_SWITCH_CODES = ("fulfilment-not-switchable", "unavailable")


@operation("GET /ops/me", answers={200: MeView})
def get_me(services: Services, call: Call, _: NoQuery) -> Response:
    """See who you are here, and whether you may change anything."""
    caller, settings = call.caller, services.settings
    view = MeView(
        subject=caller.subject,
        roles=sorted(caller.roles),
        may_change=services.tokens is None or Role.OPERATOR in caller.roles,
        auth_mode=settings.auth_mode,
        stage=settings.stage,
    )
    return answer(200, view)


@operation(
    "GET /ops/events/{eventId}/sale",
    query=SaleFrame,
    answers={200: SaleView},
    codes=("event-not-found", "unavailable"),
)
def get_sale(services: Services, call: Call, asked: SaleFrame) -> Response:
    """Watch a sale: where its tickets are, its sell curve, and when it will be sold out."""
    from chalicelib.ops.sale import sale  # the door rarely needs it

    event_id = event_in_reach(services, call)
    found = sale(services, event_id, REFUSALS, asked.seconds, asked.ends_at or None)
    return answer(200, sale_view(found))


@operation("GET /ops/queue", answers={200: QueueView}, codes=("unavailable",))
def get_queue(services: Services, _: Call, __: NoQuery) -> Response:
    """Watch the queue, and see whether fulfilment works."""
    from chalicelib.ops.standing import standing

    return answer(200, queue_view(standing(services)))


@operation("POST /ops/fulfilment/pause", body=Switching, answers={200: FulfilmentView}, codes=_SWITCH_CODES)
def pause_fulfilment(services: Services, call: Call, body: Switching) -> Response:
    """Decide no further orders for a while; they are accepted and wait on the queue."""
    from chalicelib.ops import switches

    return answer(200, fulfilment_view(switches.pause_fulfilment(services, _actor(call), body.reason)))


@operation("POST /ops/fulfilment/resume", body=Switching, answers={200: FulfilmentView}, codes=_SWITCH_CODES)
def resume_fulfilment(services: Services, call: Call, body: Switching) -> Response:
    """Decide orders again after a pause."""
    from chalicelib.ops import switches

    return answer(200, fulfilment_view(switches.resume_fulfilment(services, _actor(call), body.reason)))


OPERATIONS: tuple[Operation, ...] = (get_me, get_sale, get_queue, pause_fulfilment, resume_fulfilment)


def _actor(call: Call) -> str:
    return call.caller.subject or "anybody"
