"""One request, over and over: how many answers a second a path gives. For measurements, not for sales."""

from __future__ import annotations

import asyncio
from itertools import repeat

import msgspec
import uvloop
from msgspec.structs import replace

from infra.rush import http
from infra.rush.crowd import Crowd, Manner, Tally
from infra.rush.measures import Latency, latency_of_ns, per_second


class Hammered(msgspec.Struct, frozen=True, rename="camel"):
    """Answers by code: "202" for accepted orders, a problem's code, else "http-<status>".

    `unknown` of the `requests` were cut off; `cpu_micros` is the hammer's own CPU a request.
    """

    answers: int
    codes: dict[str, int]
    requests: int
    unknown: int
    seconds: float
    answers_per_second: float
    answer_ms: Latency | None
    cpu_micros: float


def hammer(  # noqa: PLR0913 - all but the first two have a name at the call
    url: str,
    path: str,
    body: bytes | None = None,
    *,
    concurrency: int = 32,
    seconds: float | None = None,
    count: int | None = None,
    patience_seconds: float = 20.0,
    answer_seconds: float = 10.0,
    token: str = "",
) -> Hammered:
    """Sends GET `path`, or POST with the JSON `body`, over `concurrency` connections, answer by answer.

    Stops after `seconds` or after `count` requests, whichever comes first; one of them must be given.
    `token` shows who asks.
    Raises ValueError when neither is, or when the URL is none.
    """
    if seconds is None and count is None:
        raise ValueError("seconds or count: one of them has to end it")
    to = replace(http.address(url), token=token)
    request = http.get(to, path) if body is None else http.post(to, path, body)
    requests = repeat(request) if count is None else repeat(request, count)
    manner = Manner(concurrency=concurrency, patience_seconds=patience_seconds, answer_seconds=answer_seconds)
    crowd = Crowd(to, requests, manner)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(_run(crowd, seconds))
    return _sum(tally)


async def _run(crowd: Crowd, seconds: float | None) -> Tally:
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, crowd.stop)
    return await crowd.run()


def _sum(tally: Tally) -> Hammered:
    elapsed = (tally.finished_ns - tally.started_ns) / 1e9
    accepted = {"202": len(tally.accepted)} if tally.accepted else {}
    return Hammered(
        answers=tally.answered,
        codes={**accepted, **tally.refused},
        requests=tally.requests,
        unknown=tally.unknown,
        seconds=round(elapsed, 3),
        answers_per_second=per_second(tally.answered, elapsed),
        answer_ms=latency_of_ns(tally.accept_ns + tally.refuse_ns),
        cpu_micros=round(tally.cpu_seconds * 1e6 / max(tally.requests, 1), 1),
    )
