"""One declaration a call: the Chalice route and the OpenAPI document are both made from an Operation.

Knows Chalice and the error families; knows no resource, no rule and no store.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
from chalice.app import Blueprint, HeadersType, Request, Response

from chalicelib.api import access, problems
from chalicelib.api import headers as standard
from chalicelib.api.access import ACCESS, ANYBODY, Caller
from chalicelib.api.cors import Origins
from chalicelib.api.reading import body_reader, query_reader
from chalicelib.api.schemas import NoQuery
from chalicelib.errors import OnsaleError, Rejected
from chalicelib.log import about, log
from chalicelib.services import Services

ORDER_BYTES = 16 * 1024
"""Longest body unless the operation says otherwise; the longest sensible order has 2 KiB."""

# Chalice keeps the current request on the app, where the threads of one process would share it.
_current: ContextVar[Request] = ContextVar("request")
_encode = msgspec.json.Encoder().encode


class Call(msgspec.Struct):
    """What a view may know of its request besides the body or query it declared."""

    path: Mapping[str, str]
    headers: Mapping[str, str]
    request: Request
    began: float
    """When the handler was entered, by `time.perf_counter`."""
    caller: Caller = ANYBODY
    event_id: int | None = None
    """What it is about, for its line in the log: set by a view as soon as it is known."""

    def link(self, path: str) -> str:
        """Makes the address of `path` on this API, with the stage that API Gateway puts before it."""
        full, resource = self.request.context.get("path", ""), self.request.path
        return full.removesuffix(resource) + path if full.endswith(resource) else path


View = Callable[[Services, Call, Any], Response]
Guard = Callable[[Services, Request], None]
Note = Callable[[Call, "Operation", OnsaleError], None]


def note_failure(_: Call, declared: Operation, error: OnsaleError) -> None:
    """Writes the line of a call answered with a problem; a refusal is the caller's to mend, and has none."""
    if not isinstance(error, Rejected):
        log("not-now", "warning", operation=declared.id, cause=error.detail)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the contract. `answers` maps a status to its body's type, to a media type, or to None."""

    method: str
    path: str
    id: str
    summary: str
    view: View
    answers: Mapping[int, Any]
    body: type[Any] | None = None
    query: type[Any] | None = NoQuery
    headers: Mapping[str, str | Mapping[str, Any]] = {}
    """Request headers by name: a sentence, or the whole parameter object of the document."""
    sends: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    limit_bytes: int = ORDER_BYTES
    security: Mapping[str, Mapping[str, Any]] = {}
    """What else than a token keeps the call: a security scheme of the document, by its name."""
    guard: Guard | None = None
    """Looks at the request before its query and body are read; raises to refuse it."""
    note: Note = note_failure
    """Told of each answer that is a problem; a bug is logged as one, whatever it says."""

    def path_names(self) -> list[str]:
        """The names in braces of the path, in order."""
        return re.findall(r"{(\w+)}", self.path)

    def all_codes(self) -> list[str]:
        """Every problem code that the call can answer with, those that come with its shape included."""
        codes = set(self.codes)
        if self.body is not None:
            codes |= {"malformed-body", "payload-too-large", "unsupported-media-type", "invalid-request"}
        if self.query is not None:
            codes.add("invalid-request")
        if ACCESS[self.id] is not None:
            codes |= {"unauthenticated", "forbidden", "unavailable"}
        return sorted(codes | {"internal-error"})


def operation(route: str, **declared: Any) -> Callable[[View], Operation]:
    """Declares a view as the call `route` ("POST /orders"); the other arguments are Operation's fields.

    The operation's id is the view's name in camelCase, its summary the first line of the docstring.
    """
    method, _, path = route.partition(" ")

    def declare(view: View) -> Operation:
        first, *rest = view.__name__.split("_")
        summary = (view.__doc__ or "").partition("\n")[0]
        return Operation(
            method=method,
            path=path,
            id=first + "".join(word.capitalize() for word in rest),
            summary=summary,
            view=view,
            **declared,
        )

    return declare


def mount(blueprint: Blueprint, services: Services, operations: Sequence[Operation]) -> None:
    """Adds each operation to `blueprint` as a route, and what the routes need to find their request."""
    settings = services.settings
    origins = Origins(settings)
    blueprint.register_middleware(_around(settings.stage, origins), "http")
    for declared in operations:
        # No content types: Chalice's own 415 is not a problem document.
        if declared.id not in ACCESS:
            raise LookupError(f"{declared.id} is not in the table of api/access.py")
        route = blueprint.route(declared.path, methods=[declared.method], name=declared.id, content_types=[])
        route(_handler(services, declared))
    _mount_preflights(blueprint, origins, operations)


def _around(stage: str, origins: Origins) -> Callable[..., Response]:
    """Makes what stands around every call, and around Chalice's own refusals: whose it is, what all say."""
    every = {**standard.every(stage), **origins.varies}
    listed = bool(origins.varies)

    def around(request: Request, get_response: Callable[[Request], Response]) -> Response:
        _current.set(request)
        request_id = request.context.get("requestId", "")
        about(requestId=request_id)
        response = get_response(request)
        response.headers = {**every, **response.headers, standard.REQUEST_ID: request_id}
        if listed:
            response.headers.update(origins.readable(request.headers.get("origin")))
        return response

    return around


def _mount_preflights(blueprint: Blueprint, origins: Origins, operations: Iterable[Operation]) -> None:
    """Adds OPTIONS to every path. It is no call of the contract: it asks nobody and tells nothing."""
    methods: dict[str, set[str]] = {}
    for declared in operations:
        methods.setdefault(declared.path, set()).add(declared.method)
    for path, taken in methods.items():
        blueprint.route(path, methods=["OPTIONS"], name=f"preflight {path}", content_types=[])(
            _preflight(origins, taken)
        )


def _preflight(origins: Origins, methods: Iterable[str]) -> Callable[..., Response]:
    def preflight(**_: str) -> Response:
        return Response("", dict(origins.preflight(_current.get().headers.get("origin"), methods)), 204)

    return preflight


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """Makes a JSON answer. `body` is anything msgspec can encode; `headers` come on top."""
    all_headers: HeadersType = {"Content-Type": "application/json"}
    if headers:
        all_headers.update(headers)
    return Response(_encode(body).decode(), all_headers, status)


def _handler(services: Services, declared: Operation) -> Callable[..., Response]:
    """Makes the function that Chalice calls: reads, runs the view, and turns failures into problems."""
    read = _reader(declared)
    view, guard, note = declared.view, declared.guard, declared.note

    def handle(**path: str) -> Response:
        request = _current.get()
        call = Call(path, request.headers, request, time.perf_counter())
        try:
            call.caller = access.caller(services, declared.id, request.headers)
            if guard is not None:
                guard(services, request)
            response = view(services, call, read(request))
        except OnsaleError as error:
            note(call, declared, error)
            response = problems.response(error)
        except Exception as error:
            _log_bug(error, declared.id)
            response = problems.internal_error()
        return response

    return handle


def _reader(declared: Operation) -> Callable[[Request], Any]:
    """Reads what the view is given: its body, else its query, else nothing."""
    query = (lambda _: None) if declared.query is None else query_reader(declared.query)
    if declared.body is None:
        return query
    body = body_reader(declared.body, declared.limit_bytes)

    def read(request: Request) -> Any:
        query(request)
        return body(request)

    return read


def _log_bug(error: Exception, operation_id: str) -> None:
    """Says where a bug is, not what it was handed: values in a message may be personal."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log("bug", "error", operation=operation_id, type=type(error).__name__, trace=where)
