"""An HTTP request and its answer, made into lines of a history. Pure.

It knows the service's contract as a buyer reads it: what an order looks like, and where its id stands.
"""

from __future__ import annotations

import msgspec

from infra.history.lines import Answer, Request, Wanted

_HEAD_END = b"\r\n\r\n"


class _Body(msgspec.Struct, rename="camel"):
    """Whatever a request or an answer may say of an order; everything else is left out."""

    event_id: int | None = None
    user_id: str | None = None
    quantity: int | None = None
    items: tuple[Wanted, ...] = ()


class _Told(msgspec.Struct):
    id: str | int | None = None
    status: str | int | None = None
    code: str | None = None


_body = msgspec.json.Decoder(_Body)
_told = msgspec.json.Decoder(_Told)


def request_line(  # noqa: PLR0913, PLR0917 - the parts of a request
    number: int, at_ms: float, method: str, path: str, body: bytes = b"", key: str | None = None
) -> Request:
    """What was asked; a body that cannot be read is none, and asks for no order."""
    asked = _asked(body) if method == "POST" and _steps(path)[-1:] == ["orders"] else _Body()
    items = asked.items if asked.quantity is None else (Wanted(None, asked.quantity),)
    return Request(
        number=number,
        at_ms=round(at_ms, 3),
        method=method,
        path=path,
        event_id=asked.event_id,
        user_id=asked.user_id,
        items=items,
        idempotency_key=key,
        order_id=_order_in(path),
    )


def answer_line(number: int, at_ms: float, status: int, body: bytes, *, replayed: bool = False) -> Answer:
    """What was told: an order with its status, or a problem with its code."""
    told = _heard(body)
    fault = status >= 400
    return Answer(
        number=number,
        at_ms=round(at_ms, 3),
        status=status,
        order_id=told.id if isinstance(told.id, str) and not fault else None,
        order_status=told.status if isinstance(told.status, str) and not fault else None,
        code=(told.code or f"http-{status}") if fault else None,
        replayed=replayed,
    )


def request_of_bytes(number: int, at_ms: float, raw: bytes) -> Request:
    """The line of a whole HTTP/1.1 request as it went out."""
    head, _, body = raw.partition(_HEAD_END)
    method, path, _ = head.decode("latin-1").split(" ", 2)
    key = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"idempotency-key:")), b"")
    named = key.partition(b":")[2].strip().decode("latin-1") or None
    return request_line(number, at_ms, method, path, body, named)


def _steps(path: str) -> list[str]:
    return path.partition("?")[0].strip("/").split("/")


def _order_in(path: str) -> str | None:
    steps = _steps(path)
    return steps[-1].lower() if len(steps) > 1 and steps[-2] == "orders" else None


def _asked(body: bytes) -> _Body:
    try:
        return _body.decode(body)
    except (msgspec.MsgspecError, UnicodeError):
        return _Body()


def _heard(body: bytes) -> _Told:
    try:
        return _told.decode(body)
    except (msgspec.MsgspecError, UnicodeError):
        return _Told()
