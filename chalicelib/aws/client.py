"""Calls one AWS service: signs, sends, retries what retrying mends, all within a time limit.

Speaks the AWS JSON protocol, and JSON by method and path, without boto3, whose client takes 210 to 510 ms to
import and make, and 1.7 ms a call. Must not know what is called for.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.aws.answers import Setback, verdict
from chalicelib.aws.credentials import CredentialSource
from chalicelib.aws.sigv4 import Service, sign, sign_path
from chalicelib.aws.wire import Address, Answer, Connection, Interrupted, default_tls
from chalicelib.errors import Unavailable

TRIES = 3
BACKOFF_MS = (50, 200)
"""Upper ends of the random wait before the second and the third try."""
MAX_IDLE_SECONDS = 60
"""A NAT gateway forgets an idle connection silently after 350 s (Amazon VPC User Guide)."""


class AwsClient:
    """One service at one address.

    Thread-safe: a connection is lent to one thread for one exchange, last used first.
    """

    def __init__(  # noqa: PLR0913 - the last five are for tests
        self,
        url: str,
        region: str,
        credentials: CredentialSource,
        timeout_ms: int,
        *,
        service: Service,
        part: str,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        tls: Any = default_tls,
    ) -> None:
        """`url` says where to connect, and HTTP or HTTPS; `timeout_ms` bounds a call with its retries.

        `part` is the part of ours that is down when the service is. Connects on the first call.
        Raises ValueError when the URL is neither http nor https.
        """
        self.timeout_ms = timeout_ms
        self._service = service
        self._part = part
        self._region = region
        self._credentials = credentials
        self._now, self._monotonic, self._sleep, self._uniform = now, monotonic, sleep, uniform
        self._host, self._address = endpoint(url, tls)
        self._idle: deque[Connection] = deque()

    def call(
        self, action: str, payload: Mapping[str, object], timeout_ms: int | None = None
    ) -> dict[str, Any]:
        """Returns the service's answer to `action`, such as "SendMessage".

        `timeout_ms` replaces the client's own for this call: a long poll needs more than its WaitTimeSeconds.
        Raises Unavailable(part), ambiguous when any try may have taken effect, and AwsRefused.
        """
        return self._tried(action, self._request(action, payload), timeout_ms)

    def call_path(
        self, method: str, path: str, payload: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Returns the answer of a service that is called by method and path, such as Lambda.

        `payload` is sent as JSON, None sends no body. Raises as `call`, and ValueError as `sign_path`.
        """
        return self._tried(f"{method} {path}", self._request_path(method, path, payload), None)

    def _tried(self, what: str, request: bytes, timeout_ms: int | None) -> dict[str, Any]:
        """Sends the request until it is answered for good, or tries or time are over."""
        limit = self._monotonic() + (self.timeout_ms if timeout_ms is None else timeout_ms) / 1000
        failures, doubt, reopened = 0, False, False
        while True:
            try:
                answer = self._exchange(request, limit)
                return verdict(answer.status, answer.body)
            except Setback as setback:
                doubt = doubt or setback.doubt
                if setback.stale and not reopened:
                    reopened = True
                    continue
                failures += 1
                if failures == TRIES or not self._pause(failures, limit):
                    raise Unavailable(self._part, f"{what}: {setback}", ambiguous=doubt) from setback

    def close(self) -> None:
        """Closes the idle connections; a later call opens new ones."""
        while self._idle:
            self._idle.pop().close()

    def _request(self, action: str, payload: Mapping[str, object]) -> bytes:
        body = msgspec.json.encode(payload)
        service, target = self._service, f"{self._service.prefix}.{action}"
        signed = sign(self._host, self._region, target, self._credentials(), self._now(), body, service)
        return f"POST / HTTP/1.1\r\n{signed}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _request_path(self, method: str, path: str, payload: Mapping[str, object] | None) -> bytes:
        body = b"" if payload is None else msgspec.json.encode(payload)
        signed = sign_path(
            self._host, self._region, method, path, self._credentials(), self._now(), body, self._service
        )
        return f"{method} {path} HTTP/1.1\r\n{signed}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _exchange(self, request: bytes, limit: float) -> Answer:
        try:
            connection = self._lend(limit)
        except Interrupted as error:
            raise Setback(str(error), doubt=False) from error
        try:
            answer = connection.exchange(request, limit)
        except BaseException as error:
            connection.close()
            if not isinstance(error, Interrupted):
                raise
            stale = error.silent and connection.used
            if stale:
                self.close()
            raise Setback(str(error), doubt=error.sent, stale=stale) from error
        if answer.keep:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _lend(self, limit: float) -> Connection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return Connection(self._address, self._monotonic, limit)
            if self._monotonic() - connection.last_used < MAX_IDLE_SECONDS:
                return connection
            connection.close()

    def _pause(self, failures: int, limit: float) -> bool:
        """Waits a random part of the back-off; False, without waiting, when that would outlast the limit."""
        wait = self._uniform(0, BACKOFF_MS[failures - 1] / 1000)
        if self._monotonic() + wait >= limit:
            return False
        self._sleep(wait)
        return True


def endpoint(url: str, tls: Any = default_tls) -> tuple[str, Address]:
    """Returns the Host header, without the scheme's own port, and where to connect. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"not an HTTP address: {url!r}")
    own_port = 443 if parts.scheme == "https" else 80
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or own_port
    host = name if port == own_port else f"{name}:{port}"
    return host, Address(parts.hostname, port, tls if parts.scheme == "https" else None)
