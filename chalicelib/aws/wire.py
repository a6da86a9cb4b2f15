"""One kept HTTP/1.1 connection: sends a finished request, reads one answer, within a time limit.

`http.client` would do, but its header parser alone costs 70 µs, as much as all the rest of a send.
Must not know SQS, signatures or retries; it only says how far an exchange got when it broke.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

_CHUNK_BYTES = 65_536
_HEAD_LIMIT_BYTES = 65_536
"""No HTTP server in use sends so long a head; what does is not one."""


class Interrupted(Exception):
    """No whole answer came.

    `sent`: the request had left whole, so it may have taken effect.
    `silent`: the other side closed without one byte of answer (a kept connection gone stale).
    """

    def __init__(self, detail: str, *, sent: bool, silent: bool = False) -> None:
        super().__init__(detail)
        self.sent = sent
        self.silent = silent


class Answer(NamedTuple):
    """What came back. `keep` is false when the connection must not be used again."""

    status: int
    body: bytes
    keep: bool


class Address(NamedTuple):
    """Where to connect. `tls` makes the TLS context, None means plain HTTP."""

    host: str
    port: int
    tls: Callable[[], ssl.SSLContext] | None


@lru_cache(maxsize=1)
def default_tls() -> ssl.SSLContext:
    """Checks the certificate and its name against the system's authorities; loaded once (20 ms)."""
    return ssl.create_default_context()


class Connection:
    """An open connection. Not thread-safe: whoever uses it owns it until the answer is read."""

    def __init__(self, address: Address, clock: Callable[[], float], limit: float) -> None:
        """Connects before `limit`, a reading of `clock` in seconds. Raises Interrupted(sent=False)."""
        self._clock = clock
        self.used = False
        self.last_used = 0.0
        try:
            self._socket = _connect(address, self._left(limit))
        except OSError as error:
            raise Interrupted(f"connect: {error!r}", sent=False) from error

    def exchange(self, request: bytes, limit: float) -> Answer:
        """Sends `request` (head and body) and reads the whole answer before `limit`.

        Raises Interrupted when it breaks or time is up; the connection must then be closed.
        """
        try:
            self._socket.settimeout(self._left(limit))
            self._socket.sendall(request)
        except OSError as error:
            silent = not isinstance(error, TimeoutError)
            raise Interrupted(f"send: {error!r}", sent=False, silent=silent) from error
        data = bytearray()
        try:
            answer = self._read(data, limit)
        except (OSError, ValueError) as error:
            silent = not data and not isinstance(error, TimeoutError)
            raise Interrupted(f"read: {error!r}", sent=True, silent=silent) from error
        self.used, self.last_used = True, self._clock()
        return answer

    def close(self) -> None:
        """Closes at once. Harmless when closed before."""
        self._socket.close()

    def _left(self, limit: float) -> float:
        left = limit - self._clock()
        if left <= 0:
            raise TimeoutError("no time left")
        return left

    def _more(self, data: bytearray, limit: float) -> None:
        self._socket.settimeout(self._left(limit))
        chunk = self._socket.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionError("closed by the other side")
        data += chunk

    def _read(self, data: bytearray, limit: float) -> Answer:
        """Reads into `data`, so that the caller sees whether anything came."""
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _HEAD_LIMIT_BYTES:
                raise ValueError("no end of the answer's head")
            self._more(data, limit)
        head = bytes(data[:end]).lower()
        if not head.startswith(b"http/1."):
            raise ValueError("not an HTTP/1 answer")
        status = int(head[9:12])
        if status < 200:
            del data[: end + 4]
            return self._read(data, limit)
        body, whole = self._read_body(head, data, end + 4, limit)
        keep = whole and head.startswith(b"http/1.1") and b"\r\nconnection: close" not in head
        return Answer(status, body, keep)

    def _read_body(self, head: bytes, data: bytearray, start: int, limit: float) -> tuple[bytes, bool]:
        """Returns the body, and whether it ended exactly where the answer ended."""
        if b"\r\ntransfer-encoding: chunked" in head:
            return self._read_chunks(data, start, limit)
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise ValueError("an answer without a length")
        end = start + int(head[at + 17 :].split(b"\r\n", 1)[0])
        while len(data) < end:
            self._more(data, limit)
        return bytes(data[start:end]), len(data) == end

    def _read_chunks(self, data: bytearray, at: int, limit: float) -> tuple[bytes, bool]:
        body = bytearray()
        while True:
            while (line := data.find(b"\r\n", at)) < 0:
                self._more(data, limit)
            size = int(data[at:line].split(b";", 1)[0], 16)
            at = line + 2 + size + 2
            while len(data) < at:
                self._more(data, limit)
            if size == 0:
                return bytes(body), len(data) == at
            body += data[line + 2 : line + 2 + size]


def _connect(address: Address, timeout: float) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), timeout)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.tls is None:
            return plain
        return address.tls().wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise
