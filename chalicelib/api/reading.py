"""Reads a request's body and query into their types, and says in plain words what is wrong with them.

Knows HTTP framing and msgspec's messages; knows no rule of the trade.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import MultiDict, Request

from chalicelib.errors import InvalidRequest, Rejected

_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_NAMED = re.compile(r"Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)
_KINDS = {
    "int": "an integer",
    "str": "a string",
    "bool": "a boolean",
    "float": "a number with a fraction",
    "array": "an array",
    "object": "an object",
    "null": "null",
    "datetime": "a time",
}
_TIME = "must be an RFC 3339 time with an offset, like 2026-11-22T19:00:00Z"
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"Expected `int` >= (\d+)", "must be at least {0}"),
        (r"Expected `int` <= (\d+)", "must be at most {0}"),
        (r"Expected `str` of length >= (\d+)", "must be at least {0} characters long"),
        (r"Expected `str` of length <= (\d+)", "must be at most {0} characters long"),
        (r"Expected `array` of length >= (\d+)", "must have at least {0} entries"),
        (r"Expected `array` of length <= (\d+)", "must have at most {0} entries"),
        (r"Expected `str` matching regex '\^\[A-Z\]", "must be a currency code of three capital letters"),
        (r"Expected `str` matching regex '\^\[!-~\]", "must consist of visible ASCII characters"),
        (r"Expected `str` matching regex", "must not contain control characters"),
        (r"Invalid RFC3339|Expected `datetime` with a timezone", _TIME),
        (r"Number out of range", "is out of range"),
        (r"Invalid enum value", "is not one of the known values"),
    )
)
_LONGEST_ECHO = 64
"""Characters of a caller's own field name that are repeated to it."""


def body_reader(kind: type[Any], limit_bytes: int) -> Callable[[Request], Any]:
    """Makes the function that reads a request's JSON body as `kind`.

    It raises Rejected with `unsupported-media-type`, `payload-too-large` (over `limit_bytes`) or
    `malformed-body`, and InvalidRequest that names the field. A missing content type is taken as JSON.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(request: Request) -> Any:
        media_type = request.headers.get("content-type", "application/json")
        if media_type != "application/json":
            _refuse_unless_json(media_type)
        try:
            raw = request.raw_body
            if len(raw) > limit_bytes:
                raise Rejected("payload-too-large", f"The body may have at most {limit_bytes} bytes.")
            return decode(raw)
        except msgspec.ValidationError as error:
            if not _is_json(raw):
                raise _malformed() from error
            raise InvalidRequest([field_error(str(error))]) from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise _malformed() from error

    return read


def query_reader(kind: type[Any]) -> Callable[[Request], Any]:
    """Makes the function that reads a request's query as `kind`.

    It raises InvalidRequest for a parameter that is unknown, given twice, or of the wrong form.
    """
    asks = any(field.required for field in msgspec.structs.fields(kind))
    nothing_given = None if asks else msgspec.convert({}, kind)

    def read(request: Request) -> Any:
        given = request.query_params or MultiDict({})
        if not given and not asks:
            return nothing_given
        repeated = [name for name in given if len(given.getlist(name)) > 1]
        if repeated:
            raise InvalidRequest([(repeated[0][:_LONGEST_ECHO], "must be given once")])
        try:
            return msgspec.convert(dict(given), kind, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidRequest([field_error(str(error))]) from error

    return read


def field_error(message: str) -> tuple[str, str]:
    """Turns msgspec's message into (field, sentence): the field as in the JSON, `items[0].quantity`."""
    place = _PLACE.search(message)
    field = place.group(1) if place else ""
    text = message[: place.start()] if place else message
    named = _NAMED.match(text)
    if named:
        name = named.group(2)[:_LONGEST_ECHO]
        sentence = "is required" if named.group(1).startswith("missing") else "is not a known field"
        return (f"{field}.{name}" if field else name), sentence
    return field or "body", _sentence(text)


def _sentence(text: str) -> str:
    for pattern, sentence in _SENTENCES:
        found = pattern.match(text)
        if found:
            return sentence.format(*found.groups())
    kinds = re.match(r"Expected `([a-z0-9 |]+)`, got `([a-z]+)`", text)
    if not kinds:
        return text
    wanted, got = (
        " or ".join(_KINDS.get(kind, kind) for kind in side.split(" | ")) for side in kinds.groups()
    )
    return f"must be {wanted}, not {got}"


def _malformed() -> Rejected:
    return Rejected("malformed-body", "The body must be one JSON object, encoded in UTF-8.")


def _is_json(raw: str | bytes) -> bool:
    """Whether the body is JSON to its end; the typed decoder stops at the first field that does not fit."""
    try:
        msgspec.json.decode(raw)
    except RecursionError:
        return True
    except (msgspec.DecodeError, UnicodeError):
        return False
    return True


def _refuse_unless_json(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Rejected("unsupported-media-type", "Send the body as application/json.")
