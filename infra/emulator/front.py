"""The address of each deployed API: http://127.0.0.1:<port>/api/…, a port for each stage.

It stands for the API's own host name on AWS (https://<id>.execute-api.<region>.amazonaws.com/api/…), which no
resolver knows here, and it stays when an API is replaced. It hands at most `AT_ONCE` requests on at a time,
since each that is under way is a process on this machine, as it is an environment of its own on AWS; the
others wait. It reads no header but a body's length, and changes none but the connection's own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from infra.emulator.homes import API_STAGE, homes
from infra.local.children import end_with_parent
from infra.local.layout import LOOPBACK, Layout

AT_ONCE = 4
"""Requests of all stages under way: twice the processors of the reference machine."""
LOOK_SECONDS = 0.2
"""Until a new stage has its port."""
KNOWN_SECONDS = 1.0
"""As long an API's id is not asked for again."""
HEAD_LIMIT_BYTES = 65_536

_ALL_APIS = (
    b"GET /restapis?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, "
    b"SignedHeaders=host, Signature=0\r\n\r\n"
)
"""API Gateway's GetRestApis; the emulator looks at whose it is, and not at the signature."""


class Front:
    """The ports of all stages, before one emulator."""

    def __init__(self, endpoint_url: str) -> None:
        self._emulator = urlsplit(endpoint_url).port
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._ids: dict[str, tuple[float, str | None]] = {}

    async def serve(self, layout: Layout) -> None:
        """Opens a port for each stage that moves in, and closes it when it moves out. Runs for ever."""
        open_ports: dict[str, asyncio.Server] = {}
        while True:
            let = homes(layout)
            for stage in let.keys() - open_ports.keys():
                open_ports[stage] = await self._open(stage, let[stage].port)
            for stage in open_ports.keys() - let.keys():
                open_ports.pop(stage).close()
            await asyncio.sleep(LOOK_SECONDS)

    async def _open(self, stage: str, port: int) -> asyncio.Server:
        async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while request := await _request(reader):
                    writer.write(await self._answer(stage, *request))
                    await writer.drain()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                pass  # gone, or no HTTP
            finally:
                writer.close()

        return await asyncio.start_server(caller, LOOPBACK, port, limit=HEAD_LIMIT_BYTES, backlog=1_024)

    async def _answer(self, stage: str, head: bytes, body: bytes) -> bytes:
        method, target, rest = head.split(b" ", 2)
        if target.partition(b"?")[0].split(b"/")[1:2] != [API_STAGE.encode()]:
            return _said(403, "Forbidden", f"An address of this API begins with /{API_STAGE}/.")
        async with self._at_once:
            api = await self._id(stage)
            if api is None:
                return _said(503, "Service Unavailable", f"Stage {stage} is not deployed.")
            inner = f"/restapis/{api}/{API_STAGE}/_user_request_".encode() + target[len(API_STAGE) + 1 :]
            return _kept_open(await self._ask(b" ".join((method, inner, _closing(rest))) + body))

    async def _id(self, stage: str) -> str | None:
        since, known = self._ids.get(stage, (0.0, None))
        if time.monotonic() - since > KNOWN_SECONDS:
            answer = await self._ask(_ALL_APIS)
            found = json.loads(answer.partition(b"\r\n\r\n")[2] or b"{}").get("item", [])
            known = next((api["id"] for api in found if api["name"] == f"onsale-{stage}"), None)
            self._ids[stage] = time.monotonic(), known
        return known

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._emulator)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """The head and the body of the caller's next request; None when it has hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = next((v for name, v in _fields(head) if name == b"content-length"), b"0")
    return head, await reader.readexactly(int(length))


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    lines = head.split(b"\r\n")[1:-2]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]


def _closing(rest: bytes) -> bytes:
    """What follows a request's target, asking the emulator to hang up after its answer."""
    lines = [line for line in rest[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def _kept_open(answer: bytes) -> bytes:
    """The emulator's answer without its hanging up, and with its length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return _said(502, "Bad Gateway", "The emulator does not answer.")
    dropped = (b"connection:", b"content-length:", b"transfer-encoding:")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(dropped)]
    return b"\r\n".join([*lines, f"Content-Length: {len(body)}".encode(), b"", body])


def _said(status: int, reason: str, message: str) -> bytes:
    """An answer of the front's own, in API Gateway's form."""
    body = json.dumps({"message": message}).encode()
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(Front(sys.argv[2]).serve(Layout(Path(sys.argv[1]))))
