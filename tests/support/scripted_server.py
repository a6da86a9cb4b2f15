"""A raw TCP server that answers HTTP requests as told, faults included. It knows no SQS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterable
from enum import Enum, auto


class Fault(Enum):
    """What the server does instead of answering."""

    CLOSE = auto()
    HANG = auto()
    STOP_HALFWAY = auto()
    ANSWER_AND_CLOSE = auto()


OK = b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"MessageId":"m-1"}'
HALF = OK[:-5]


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """One HTTP/1.1 answer with a length; `headers` are lines without their end."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*chunks: bytes) -> bytes:
    """One good answer in chunks."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


class ScriptedServer:
    """Plays one step a request, over all connections; OK when there are none left.

    A step is the bytes of an answer, a fault, or an event to wait for before OK.
    """

    def __init__(
        self, steps: Iterable[bytes | Fault | threading.Event] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._steps = deque(steps)
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def queue_url(self) -> str:
        """An address as SQS would give it, served here."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/000000000000/orders"

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        self.drop_connections()
        for thread in self._threads[1:]:
            thread.join()

    def drop_connections(self) -> None:
        """Ends every open connection from this side, as a server does with idle ones."""
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=[connection])
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with plain:
            try:
                connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            except OSError:
                return
            with connection:
                self._open.append(connection)
                try:
                    self._converse(connection)
                except OSError:
                    return

    def _converse(self, connection: socket.socket) -> None:
        while request := _read_request(connection):
            self.requests.append(request)
            step = self._steps.popleft() if self._steps else OK
            if step is Fault.HANG:
                connection.recv(1)
                return
            if step is Fault.CLOSE:
                return
            if isinstance(step, threading.Event):
                step.wait(20)
            connection.sendall(_bytes_of(step))
            if isinstance(step, Fault):
                return


def _bytes_of(step: bytes | Fault | threading.Event) -> bytes:
    if isinstance(step, bytes):
        return step
    return HALF if step is Fault.STOP_HALFWAY else OK


def _read_request(connection: socket.socket) -> bytes:
    """Returns one whole request, or nothing when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65_536)):
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
