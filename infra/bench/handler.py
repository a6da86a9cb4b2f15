"""CPU of a request inside the handler, by part of its way, as one Lambda environment runs it: one thread.

Calls `app.app` with true API Gateway events, so that HTTP itself is not in the figure. Runs in a process
of its own (see `apart`), because the service reads its settings when it is imported.
"""

from __future__ import annotations

import io
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from chalicelib.identity.principal import Role
from infra.bench.figures import HandlerCpu
from infra.bench.own_stack import BUYER, BenchFault
from infra.local import proxy_event
from infra.local.context import LambdaContext
from infra.local.issuer import token_if_needed
from infra.local.routing import Router

TIMES = 5
"""Repetitions, of which the median counts."""
WARM_UP = 50


class _Timed:
    """Calls through and adds up this thread's CPU time in it."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.spent_ns = 0

    def __call__(self, *arguments: Any) -> Any:
        began = time.thread_time_ns()
        try:
            return self._call(*arguments)
        finally:
            self.spent_ns += time.thread_time_ns() - began


def handler_cpu(environment: Mapping[str, str], event_id: int, status: int, count: int) -> HandlerCpu:
    """CPU µs of a POST /orders for `event_id` that is answered `status`, the median of TIMES repetitions.

    A repetition is `count` requests. Sets this process's environment. Raises BenchFault when an answer
    is another than expected, or when the ledger was asked: an order at the door must not need it.
    """
    os.environ.update(environment)
    import app

    gate, queue = _Timed(app.services.gate.admit), _Timed(app.services.queue.send)
    vars(app.services.gate)["admit"], vars(app.services.queue)["send"] = gate, queue
    order = {"eventId": event_id, "quantity": 1, "userId": BUYER}
    token = token_if_needed(environment, BUYER, Role.BUYER)
    health = _request(app.app, "GET", "/health", None, 200)
    ordering = _request(app.app, "POST", "/orders", msgspec.json.encode(order), status, token)
    for request in (health, ordering):
        _warm_up(request)
    vars(app.services).pop("ledger", None)  # a cold gate was filled from it
    measured = _measure(health, ordering, (gate, queue), count)
    if "ledger" in vars(app.services):
        raise BenchFault("POST /orders has asked the ledger")
    return measured


def _request(  # noqa: PLR0913, PLR0917 - the parts of one request
    app: Any, method: str, path: str, body: bytes | None, status: int, token: str = ""
) -> Callable[[], None]:
    event = _event(app, method, path, body or b"", token)

    def ask() -> None:
        answer = app(event, LambdaContext("bench", "onsale", 29_000))
        if answer["statusCode"] != status:
            raise BenchFault(f"{method} {path} was answered with {answer['statusCode']}: {answer['body']}")

    return ask


def _event(app: Any, method: str, path: str, body: bytes, token: str) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    found = Router(app.routes).find(path)
    if found is None:
        raise BenchFault(f"the app has nothing at {path}")
    return proxy_event.build(environ, path, *found, body, str(uuid.uuid4()))


def _warm_up(ask: Callable[[], None]) -> None:
    for _ in range(WARM_UP):
        ask()


def _measure(
    health: Callable[[], None], ordering: Callable[[], None], stores: Sequence[_Timed], count: int
) -> HandlerCpu:
    runs = [(_micros(health, (), count)[0], *_micros(ordering, stores, count)) for _ in range(TIMES)]
    dispatch, whole, gate, queue = (round(median(part), 1) for part in zip(*runs, strict=True))
    return HandlerCpu(whole=whole, dispatch=dispatch, gate=gate, queue=queue)


def _micros(ask: Callable[[], None], parts: Sequence[_Timed], count: int) -> list[float]:
    """CPU µs of one of `count` calls: the whole, then each of `parts`."""
    for part in parts:
        part.spent_ns = 0
    began = time.thread_time_ns()
    for _ in range(count):
        ask()
    whole_ns = time.thread_time_ns() - began
    return [spent_ns / count / 1e3 for spent_ns in (whole_ns, *(part.spent_ns for part in parts))]
