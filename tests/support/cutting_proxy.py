"""A TCP proxy that cuts a connection between request and answer: the deed is done, and nobody is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CuttingProxy:
    """Passes bytes on to 127.0.0.1:`port`. `cut` a word: the answer to the next request with it is lost."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._word = b""
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, word: bytes) -> None:
        """Lets the next request that has `word` in it through, and closes the connection on its answer."""
        self._word = word

    def close(self) -> None:
        """Closes everything."""
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += (client, server)
                threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        """One request, one answer, as a client without pipelining sends them."""
        with suppress(OSError), client, server:
            while request := client.recv(65_536):
                server.sendall(request)
                answer = server.recv(65_536)
                if self._word and self._word in request:
                    self._word = b""
                    self.cuts += 1
                    return
                client.sendall(answer)


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """Runs a proxy in front of a local port until the block ends."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
