"""HTTP/1.1 as far as a crowd needs it: requests as ready bytes, answers read with as few looks as possible.

Pure, bytes in and bytes out: it must not know sockets, orders or time. It is no general client:
an answer has to carry Content-Length, and one connection has one request under way.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

HEAD_LIMIT_BYTES = 16_384
"""No head of an answer is longer; what is longer is not HTTP."""

_LENGTH = b"\r\ncontent-length:"
_RETRY_AFTER = b"\r\nretry-after:"


class Unreadable(ValueError):
    """Bytes that are not an answer this module reads."""


class Address(msgspec.Struct, frozen=True):
    """Where a service is: `prefix` is the path that its URL ends in, such as `/api`, without a last slash.

    `token` shows who asks there, where that is asked for; empty when not.
    """

    host: str
    port: int
    tls: bool
    prefix: str
    token: str = ""


class Answer(NamedTuple):
    """One answer; `head` is in lower case, status line included."""

    status: int
    head: bytes
    body: bytes


def address(url: str) -> Address:
    """Takes an http or https URL apart. Raises ValueError when it is neither or names no host."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https URL")
    tls = parts.scheme == "https"
    return Address(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))


def get(to: Address, path: str) -> bytes:
    """A whole GET request for `path`, which begins with a slash."""
    return _head("GET", to, path) + b"\r\n"


def post(to: Address, path: str, body: bytes) -> bytes:
    """A whole POST request for `path` with a JSON body."""
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return _head("POST", to, path) + fields.encode() + body


def _head(method: str, to: Address, path: str) -> bytes:
    bearer = f"Authorization: Bearer {to.token}\r\n" if to.token else ""
    return f"{method} {to.prefix}{path} HTTP/1.1\r\nHost: {to.host}:{to.port}\r\n{bearer}".encode()


def split(data: bytes) -> Answer | None:
    """Takes an answer apart; None while bytes are missing.

    Raises Unreadable when the bytes are not an answer with Content-Length, or are more than one answer.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > HEAD_LIMIT_BYTES:
            raise Unreadable("the head of the answer has no end")
        return None
    head = data[:end].lower()
    missing = end + 4 + _length(head) - len(data)
    if missing > 0:
        return None
    if missing < 0:
        raise Unreadable("more bytes than the answer announced")
    return Answer(_status(head), head, data[end + 4 :])


def closes(head: bytes) -> bool:
    """Whether the server hangs up after this answer. `head` is in lower case."""
    return b"\r\nconnection: close" in head


def retry_after_seconds(head: bytes, otherwise: float = 1.0) -> float:
    """The wait that an answer asks for, or `otherwise`. `head` is in lower case."""
    found = _field(head, _RETRY_AFTER)
    return float(found) if found is not None and found.isdigit() else otherwise


def _status(head: bytes) -> int:
    digits = head[9:12]
    if not head.startswith(b"http/1.") or not digits.isdigit():
        raise Unreadable(f"no status in {head[:40]!r}")
    return int(digits)


def _length(head: bytes) -> int:
    found = _field(head, _LENGTH)
    if found is None or not found.isdigit():
        raise Unreadable("the answer has no Content-Length")
    return int(found)


def _field(head: bytes, name: bytes) -> bytes | None:
    at = head.find(name)
    if at < 0:
        return None
    start = at + len(name)
    stop = head.find(b"\r\n", start)
    return head[start : stop if stop >= 0 else len(head)].strip()
