"""A TCP proxy that loses requests or answers on purpose. It knows no protocol: it looks for a word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto


class Loss(Enum):
    """What becomes of an exchange. `HANG` says nothing more, `CUT` closes the connection."""

    REQUEST_HANG = auto()
    REQUEST_CUT = auto()
    ANSWER_HANG = auto()
    ANSWER_CUT = auto()


class LosingProxy:
    """Passes bytes on to 127.0.0.1:`port`; `choose` says what is lost of each request with `word` in it."""

    def __init__(self, port: int, word: bytes) -> None:
        self._target, self._word = port, word
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        self.choose: Callable[[], Loss | None] = lambda: None
        self.lost: list[Loss] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Closes everything; who connects afterwards is refused."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                self._open += (client, server)
                losses: list[Loss] = []
                for pump in (self._up, self._down):
                    threading.Thread(target=pump, args=(client, server, losses), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, losses: list[Loss]) -> None:
        with suppress(OSError):
            while request := client.recv(1_048_576):
                loss = self._loss_of(request)
                if loss is Loss.REQUEST_HANG:
                    continue
                if loss is Loss.REQUEST_CUT:
                    break
                if loss is not None:
                    losses.append(loss)
                server.sendall(request)
        _end(client, server)

    def _down(self, client: socket.socket, server: socket.socket, losses: list[Loss]) -> None:
        with suppress(OSError):
            while answer := server.recv(1_048_576):
                if Loss.ANSWER_CUT in losses:
                    break
                if not losses:
                    client.sendall(answer)
        _end(client, server)

    def _loss_of(self, request: bytes) -> Loss | None:
        if self._word not in request:
            return None
        with self._lock:
            loss = self.choose()
            if loss is not None:
                self.lost.append(loss)
            return loss


def _end(*connections: socket.socket) -> None:
    for each in connections:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextmanager
def losing_proxy(port: int, word: bytes) -> Iterator[LosingProxy]:
    """Runs a proxy in front of a local port until the block ends."""
    proxy = LosingProxy(port, word)
    try:
        yield proxy
    finally:
        proxy.close()
