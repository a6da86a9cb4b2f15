"""The HTTP front of the local stack: what API Gateway is on AWS. Run as `python -m infra.local.gateway`.

granian speaks HTTP; here each request becomes a true API Gateway event for `app.app`, and the answer
becomes HTTP again. It knows no resource of the service: the routes are read from the app.
"""

from __future__ import annotations

import argparse
import base64
import http
import random
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.api import headers, problems
from infra.local import compression, proxy_event
from infra.local.children import end_with_parent
from infra.local.context import LambdaContext
from infra.local.layout import LOOPBACK
from infra.local.request_counts import RequestCounts, Seen, unseen
from infra.local.routing import Router
from infra.local.warming import warm

BODY_LIMIT_BYTES = 10 * 1024 * 1024
"""API Gateway's own limit on a payload."""
TIMEOUT_MS = 29_000
"""API Gateway's longest wait for a function."""
PROCESSES, THREADS = 2, 6
"""As many as measurement says for two cores: docs/decisions/0005."""

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in http.HTTPStatus}


class Refused(Exception):
    """The gateway answers by itself and the function is not asked."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


def gateway(app: Any, seen: Seen = unseen) -> Wsgi:
    """The WSGI application in front of a Chalice app. `seen` is told of each request when it is answered."""
    router = Router(app.routes)
    binary_types = frozenset(app.api.binary_types)

    def handle(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        # uuid4() asks the kernel, and gives the interpreter lock away for it; this id guards nothing
        request_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        began, function_seconds = time.perf_counter(), None
        try:
            event = _event(environ, router, request_id, binary_types)
            asked = time.perf_counter()
            answer = app(event, LambdaContext(request_id, "onsale", TIMEOUT_MS))
            function_seconds = time.perf_counter() - asked
        except Refused as refused:
            answer = _problem(refused, request_id)
        sent, body = _as_http(answer)
        if len(body) >= compression.LEAST_BYTES:
            body = compression.compressed(sent, body, environ.get("HTTP_ACCEPT_ENCODING", ""))
        sent.append(("x-amzn-RequestId", request_id))
        start_response(_STATUS_LINES.get(answer["statusCode"]) or f"{answer['statusCode']} Other", sent)
        seen(answer["statusCode"], time.perf_counter() - began, function_seconds)
        return [body]

    return handle


def _event(
    environ: dict[str, Any], router: Router, request_id: str, binary_types: frozenset[str]
) -> dict[str, Any]:
    path: str = environ["PATH_INFO"]
    if not path.isascii():
        path = path.encode("latin-1").decode("utf-8", "replace")
    found = router.find(path)
    if found is None:
        raise Refused(404, "route-not-found", "There is nothing at this path; /docs lists what there is.")
    resource, parameters = found
    method = environ["REQUEST_METHOD"]
    if method not in resource.methods:
        allowed = ", ".join(sorted(resource.methods))
        raise Refused(405, "method-not-allowed", f"This path takes {allowed}.", {"Allow": allowed})
    body = _body(environ)
    return proxy_event.build(environ, path, resource, parameters, body, request_id, binary_types)


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if not chunked and (not length or length == "0"):
        return b""
    if length and (not length.isdigit() or int(length) > BODY_LIMIT_BYTES):
        raise _too_large()
    body: bytes = (
        environ["wsgi.input"].read(BODY_LIMIT_BYTES + 1) if chunked else environ["wsgi.input"].read()
    )
    if len(body) > BODY_LIMIT_BYTES:
        raise _too_large()
    return body


def _too_large() -> Refused:
    return Refused(413, "payload-too-large", f"A body may have at most {BODY_LIMIT_BYTES} bytes.")


def _problem(refused: Refused, request_id: str) -> dict[str, Any]:
    own = {"Content-Type": problems.MEDIA_TYPE, headers.REQUEST_ID: request_id, **refused.headers}
    return {
        "statusCode": refused.status,
        "headers": {**headers.every("local"), **own},
        "body": problems.body(refused.code, refused.detail),
    }


def _as_http(answer: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    sent = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        sent.extend((name, str(value)) for value in values)
    body = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        return sent, base64.b64decode(body)
    return sent, body if isinstance(body, bytes) else body.encode()


def load(_target: str = "") -> Wsgi:
    """Called by granian in each of its processes: they end with their parent, so that none keeps the port."""
    end_with_parent()
    from app import app, services

    warm(services)
    counts = RequestCounts(services.settings.stage)
    counts.start()
    return gateway(app, counts.seen)


def main() -> None:
    """Serves until SIGTERM; requests under way are answered first."""
    arguments = _arguments()
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    import app  # noqa: F401 - imported before the processes fork, so that a new one is there at once

    server = Granian(
        "app:app",
        address=LOOPBACK,
        port=arguments.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=arguments.processes,
        blocking_threads=arguments.threads,
        backpressure=arguments.backpressure,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=load)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--threads", type=int, default=THREADS, help="requests at a time in one process")
    parser.add_argument("--backpressure", type=int, default=512, help="requests waiting in one process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
