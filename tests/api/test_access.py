"""Every route, asked by every role, by the owner and by a stranger: the table decides, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.api.access import ACCESS, Reach
from chalicelib.api.docs import ALL
from chalicelib.identity.principal import Role
from chalicelib.order_ids import new_order_id
from tests.api.conftest import Answer, Api
from tests.fakes.services import MemoryServices
from tests.support.tokens import JWT_SETTINGS, local_token

OWNER, STRANGER = "owner", "stranger"


class World:
    """An event of OWNER's with a confirmed order of OWNER's, behind a door that asks for tokens."""

    def __init__(self) -> None:
        self.services = MemoryServices(**JWT_SETTINGS)
        self.api = Api(self.services)
        draft = {"name": "x", "description": "", "totalTickets": 10}
        self.event_id = self.ask("POST", "/events", draft, token=local_token(OWNER, "organiser")).json["id"]
        wish = {"eventId": self.event_id, "quantity": 1}
        self.order_id = self.ask("POST", "/orders", wish, token=local_token(OWNER)).json["id"]
        self.services.fulfil()
        self.services.bury("{")

    def ask(self, method: str, url: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """Asks with a token, if there is one."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.api(method, url, body, **headers)


Ask = Callable[[World, str], Answer]


def event(method: str, path: str, body: Any = None, **headers: str) -> Ask:
    return lambda world, token: world.ask(method, f"/events/{world.event_id}{path}", body, token, **headers)


def order(method: str) -> Ask:
    return lambda world, token: world.ask(method, f"/orders/{world.order_id}", token=token)


def page(path: str) -> Ask:
    return lambda world, token: world.ask("GET", path, token=token)


METRICS = {
    "startsAt": "2026-11-22T10:00:00Z",
    "endsAt": "2026-11-22T10:01:00Z",
    "queries": [{"id": "a", "namespace": "Onsale", "metric": "Accepted", "stat": "Sum", "periodSeconds": 1}],
}


def letters(what: str, body: Any) -> Ask:
    return lambda world, token: world.ask("POST", f"/ops/dead-letters/{what}", body, token)


DRAFT = {"name": "y", "description": "", "totalTickets": 1}
REQUESTS: dict[str, Ask] = {
    "getIndex": page("/"),
    "getHealth": page("/health"),
    "getReadiness": page("/ready"),
    "getContract": page("/openapi.json"),
    "getDocs": page("/docs"),
    "getDocsScript": page("/docs/swagger-ui-bundle.js"),
    "getDocsStyle": page("/docs/swagger-ui.css"),
    "getDocsPageStyle": page("/docs/page.css"),
    "getDocsStart": page("/docs/init.js"),
    "getConsole": page("/console"),
    "getConsoleFile": page("/console/app.js"),
    "listEvents": page("/events"),
    "getEvent": event("GET", ""),
    "getAvailability": event("GET", "/availability"),
    "createEvent": lambda world, token: world.ask("POST", "/events", DRAFT, token),
    "updateEvent": event("PATCH", "", {"name": "z"}, If_Match="*"),
    "pauseSale": event("POST", "/pause"),
    "resumeSale": event("POST", "/resume"),
    "closeSale": event("POST", "/close"),
    "placeOrder": lambda world, token: world.ask(
        "POST", "/orders", {"eventId": world.event_id, "quantity": 1, "userId": OWNER}, token
    ),
    "getOrder": order("GET"),
    "listOrders": page(f"/orders?userId={OWNER}"),
    "cancelOrder": order("DELETE"),
    "takePayment": lambda world, _: world.api.pay(
        world.services,
        {"reference": "r", "orderId": world.order_id, "amount": 0, "currency": "EUR", "outcome": "failed"},
    ),
    "listPayments": page("/ops/payments"),
    "listDeadLetters": page("/ops/dead-letters"),
    "getDeadLetter": page("/ops/dead-letters/dead-0"),
    "foreseeRedrive": letters("dry-run", {"all": True}),
    "getRedrive": page("/ops/dead-letters/redrive"),
    "redriveDeadLetters": letters("redrive", {"all": True}),
    "deleteDeadLetters": letters("delete", {"messageIds": ["dead-0"], "reason": "why"}),
    "listActions": page("/ops/log"),
    "getConservation": lambda world, token: world.ask(
        "GET", f"/ops/events/{world.event_id}/conservation", token=token
    ),
    "findOrders": page(f"/ops/find?q={OWNER}"),
    "getTimeline": lambda world, token: world.ask(
        "GET", f"/ops/orders/{world.order_id}/timeline", token=token
    ),
    "getDashboard": page("/ops/dashboard"),
    "queryMetrics": lambda world, token: world.ask("POST", "/ops/metrics", METRICS, token),
    "listAlarms": page("/ops/alarms"),
    "listAlarmHistory": page("/ops/alarms/history"),
    "getMe": page("/ops/me"),
    "getSale": lambda world, token: world.ask("GET", f"/ops/events/{world.event_id}/sale", token=token),
    "getQueue": page("/ops/queue"),
    "pauseFulfilment": lambda world, token: world.ask("POST", "/ops/fulfilment/pause", {}, token),
    "resumeFulfilment": lambda world, token: world.ask("POST", "/ops/fulfilment/resume", {}, token),
}
"""Each operation, as somebody asks for it who has a token (or "" for none)."""

TO_A_STRANGER = {
    "updateEvent": (403, "forbidden"),
    "pauseSale": (403, "forbidden"),
    "resumeSale": (403, "forbidden"),
    "closeSale": (403, "forbidden"),
    "getConservation": (403, "forbidden"),
    "getSale": (403, "forbidden"),
    "placeOrder": (422, "invalid-request"),
    "getOrder": (404, "order-not-found"),
    "listOrders": (403, "forbidden"),
    "cancelOrder": (404, "order-not-found"),
}
"""What a stranger hears of what is OWNER's: an order's existence is a secret, an event's is none."""


@pytest.fixture
def world() -> World:
    return World()


def test_every_route_is_in_the_table_and_every_row_has_a_route() -> None:
    routes = {each.id for each in ALL}
    assert routes == set(ACCESS)
    assert routes == set(REQUESTS)


@pytest.mark.parametrize("operation", REQUESTS)
@pytest.mark.parametrize("subject", [OWNER, STRANGER])
@pytest.mark.parametrize("role", Role)
def test_the_table_decides(world: World, operation: str, subject: str, role: Role) -> None:
    answer = REQUESTS[operation](world, local_token(subject, role))
    allowed = ACCESS[operation]
    if allowed is None or (role in allowed and (allowed[role] is Reach.ANY or subject == OWNER)):
        assert answer.status < 300, answer.text
    elif role in allowed:
        assert answer.problem == TO_A_STRANGER[operation]
    else:
        assert answer.problem == (403, "forbidden")


@pytest.mark.parametrize("operation", REQUESTS)
@pytest.mark.parametrize("token", ["", "rubbish", local_token("ann", "operator", exp=1)])
def test_without_a_good_token_only_what_is_public_is_there(world: World, operation: str, token: str) -> None:
    answer = REQUESTS[operation](world, token)
    if ACCESS[operation] is None:
        assert answer.status < 300
    else:
        assert answer.problem == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", REQUESTS)
def test_in_open_mode_everybody_may_do_everything(operation: str) -> None:
    world = World.__new__(World)
    world.services = MemoryServices()
    world.api = Api(world.services)
    world.event_id = world.ask("POST", "/events", DRAFT).json["id"]
    wish = {"eventId": world.event_id, "quantity": 1, "userId": OWNER}
    world.order_id = world.ask("POST", "/orders", wish).json["id"]
    if operation == "placeOrder":
        world.services.gate.settle(world.event_id, [], [world.order_id])
    world.services.fulfil()
    world.services.bury("{")
    assert REQUESTS[operation](world, "").status < 300


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer\t{}", "{}", "Bearer  {}"])
def test_a_header_that_carries_no_bearer_token_is_none(world: World, header: str) -> None:
    answer = world.ask("DELETE", "/orders/x", Authorization=header.format(local_token(OWNER)))
    assert answer.problem == (401, "unauthenticated")


def test_the_scheme_may_be_in_any_case(world: World) -> None:
    answer = world.ask("GET", f"/orders/{world.order_id}", Authorization=f"bEARER {local_token(OWNER)}")
    assert answer.status == 200


def test_a_buyer_need_not_say_who_buys(world: World) -> None:
    wish = {"eventId": world.event_id, "quantity": 1}
    assert world.ask("POST", "/orders", wish, local_token("ann")).json["userId"] == "ann"


def test_a_buyer_sees_only_own_orders_in_a_list_on_its_way_and_decided(world: World) -> None:
    for buyer in ("ann", "bob"):
        world.ask("POST", "/orders", {"eventId": world.event_id, "quantity": 1}, local_token(buyer))
    for decided in (False, True):
        where = "/orders" if decided else f"/orders?status=pending&eventId={world.event_id}"
        listed = world.ask("GET", where, token=local_token("ann")).json["items"]
        assert [each["userId"] for each in listed] == ["ann"]
        world.services.fulfil()


def test_a_strangers_order_on_its_way_cannot_be_seen_or_cancelled(world: World) -> None:
    wish = {"eventId": world.event_id, "quantity": 1}
    order_id = world.ask("POST", "/orders", wish, local_token("ann")).json["id"]
    for method in ("GET", "DELETE"):
        answer = world.ask(method, f"/orders/{order_id}", token=local_token("bob"))
        assert answer.problem == (404, "order-not-found")
    strangers = world.ask("GET", f"/orders/{order_id}", token=local_token("bob"))
    to_come = new_order_id(world.event_id, round(time.time() * 1_000) + 60_000)
    nobodys = world.ask("GET", f"/orders/{to_come}", token=local_token("bob"))
    assert strangers.text == nobodys.text
    assert world.ask("GET", f"/orders/{order_id}", token=local_token("ann")).json["status"] == "pending"


def test_several_roles_reach_as_far_as_the_farthest(world: World) -> None:
    token = local_token(STRANGER, "buyer", "operator")
    assert world.ask("GET", f"/orders/{world.order_id}", token=token).status == 200


def test_an_event_of_open_mode_is_the_operators_alone(world: World) -> None:
    draft = world.services.ledger.event(world.event_id)
    world.services.ledger._events[world.event_id] = type(draft)(
        **{name: getattr(draft, name) for name in draft.__struct_fields__} | {"organiser_id": None}
    )
    assert REQUESTS["pauseSale"](world, local_token(OWNER, "organiser")).status == 403
    assert REQUESTS["pauseSale"](world, local_token("olga", "operator")).status == 200


def test_nobody_hears_whether_a_token_was_nearly_good(world: World) -> None:
    wrong = [local_token(OWNER, iss="other"), local_token(OWNER, aud="other")]
    answers = {REQUESTS["getOrder"](world, token).json["detail"] for token in wrong}
    assert len(answers) == 1
