"""The HTTP front: CloudWatch's JSON protocol at "/", and whatever else is mounted below a path of its own.

Knows HTTP and the form of AWS's errors; it knows no action.
"""

from __future__ import annotations

import http
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

from infra.local.cloudwatch.actions import PREFIX, Actions, Refused
from infra.local.layout import LOOPBACK

BODY_BYTES_AT_MOST = 1024 * 1024
"""PutMetricData's own limit."""


class Asked(NamedTuple):
    """A request that is not CloudWatch's: `path` is whole, with its query."""

    method: str
    path: str
    body: bytes


class Reply(NamedTuple):
    """Its answer: a status and a JSON body."""

    status: int
    body: object


Handler = Callable[[Asked], Reply]
"""Answers every request below one path. Called by many threads at once."""


def serve(port: int, actions: Actions, handlers: Mapping[str, Handler]) -> ThreadingHTTPServer:
    """Makes the server on loopback `port`; its `serve_forever` serves until its `shutdown`.

    `handlers` maps the beginning of a path, as "/2015-03-31/event-source-mappings", to who answers there.
    """

    class Bound(_Request):
        table = handlers
        cloudwatch = actions

    server = ThreadingHTTPServer((LOOPBACK, port), Bound)
    server.daemon_threads = True
    return server


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    table: Mapping[str, Handler]
    cloudwatch: Actions

    def do_GET(self) -> None:
        """Asks."""
        self._answer()

    def do_PUT(self) -> None:
        """Changes."""
        self._answer()

    def do_POST(self) -> None:
        """Calls."""
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Says nothing: a page that refreshes every second would be all that the log holds."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_BYTES_AT_MOST:
            self.close_connection = True
            self._send(Reply(413, _error("RequestEntityTooLargeException", "The body is too large.")))
            return
        asked = Asked(self.command, self.path, self.rfile.read(int(length)))
        handler = next((each for path, each in self.table.items() if self.path.startswith(path)), None)
        self._send(handler(asked) if handler else self._cloudwatch(asked))

    def _cloudwatch(self, asked: Asked) -> Reply:
        prefix, _, action = self.headers.get("X-Amz-Target", "").partition(".")
        if asked.method == "GET" and asked.path == "/":
            return Reply(200, {"status": "ok"})
        if prefix != PREFIX:
            return Reply(404, _error("UnknownOperationException", "There is nothing here."))
        try:
            return Reply(200, self.cloudwatch.call(action, asked.body))
        except Refused as refused:
            status = 404 if refused.code == "ResourceNotFound" else 400
            return Reply(status, _error(refused.code, str(refused)))

    def _send(self, reply: Reply) -> None:
        body = msgspec.json.encode(reply.body)
        self.send_response(reply.status, http.HTTPStatus(reply.status).phrase)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _error(code: str, detail: str) -> dict[str, str]:
    return {"__type": f"com.amazonaws.cloudwatch.v2010_08_01#{code}", "message": detail}
