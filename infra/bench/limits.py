"""What this machine could do at most: each store asked as fast as the service's own client can ask it.

The same drivers, the same script, the same number of processes and threads as the gateway; but no HTTP,
no handler and no order. It must not know the service's handlers.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from threading import Barrier
from urllib.parse import urlsplit

import msgspec

from chalicelib.aws.credentials import credential_source
from chalicelib.errors import Rejected
from chalicelib.model import MESSAGE_SCHEMA, Item, OrderIntent, OrderPlaced, Wanted
from chalicelib.order_ids import new_order_id
from chalicelib.queue.client import QueueClient
from chalicelib.services import Services
from chalicelib.settings import Settings
from infra.local.children import end_with_parent
from infra.local.gateway import PROCESSES, THREADS

START_SECONDS = 60
"""Longest that the processes may wait for one another; they import for about a second."""
SCRATCH_QUEUE = "onsale-bench"

_together: list[Barrier] = []
"""In a measuring process: where all of them meet before each repetition."""


def raw_evalsha(settings: Settings, event_id: int, seconds: float, times: int = 3) -> float:
    """Refusals a second that the gate's admit script gives for a sold-out event, no HTTP around it.

    The median of `times` repetitions of `seconds` each.
    """
    return _in_processes(_ask_gate, settings, event_id, seconds, times)


def raw_sends(settings: Settings, seconds: float, times: int = 3) -> float:
    """Messages a second that the coalescing sender brings to a queue of its own, deleted afterwards.

    The median of `times` repetitions of `seconds` each.
    """
    with _scratch_queue(settings) as scratch:
        return _in_processes(_send, scratch, 0, seconds, times)


def _ask_gate(settings: Settings, event_id: int, seconds: float, times: int) -> list[float]:
    gate = Services(settings).gate
    order_id = new_order_id(event_id, 0)
    intent = OrderIntent(order_id=order_id, event_id=event_id, user_id="bench", wanted=(Wanted(None, 1),))

    def ask() -> None:
        try:
            gate.admit(intent)
        except Rejected:
            return

    return _rates(ask, seconds, times)


def _send(settings: Settings, _: int, seconds: float, times: int) -> list[float]:
    queue, message = Services(settings).queue, _message()
    return _rates(lambda: queue.send(message, "bench"), seconds, times)


def _message() -> str:
    """An order for one ticket, as the gate writes it."""
    placed = OrderPlaced(
        schema=MESSAGE_SCHEMA,
        order_id=new_order_id(1, 0),
        event_id=1,
        user_id="buyer-1-12345",
        currency="EUR",
        items=(Item(1, 1, 4_500),),
        accepted_at_ms=time.time_ns() // 1_000_000,
    )
    return msgspec.json.encode(placed).decode()


@contextmanager
def _scratch_queue(settings: Settings) -> Iterator[Settings]:
    """Settings that send to a queue that nobody receives from."""
    parts = urlsplit(settings.order_queue_url)
    url = parts._replace(path=f"{parts.path.rpartition('/')[0]}/{SCRATCH_QUEUE}").geturl()
    client = QueueClient(url, settings.aws_region, credential_source(settings), settings.queue_timeout_ms)
    client.call("CreateQueue", {"QueueName": SCRATCH_QUEUE})
    try:
        yield msgspec.structs.replace(settings, order_queue_url=url)
    finally:
        client.call("DeleteQueue", {}, timeout_ms=10_000)
        client.close()


def _in_processes(
    job: Callable[[Settings, int, float, int], list[float]],
    settings: Settings,
    event_id: int,
    seconds: float,
    times: int,
) -> float:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES, timeout=START_SECONDS)
    with ProcessPoolExecutor(PROCESSES, context, _begin, (barrier,)) as pool:
        futures = [pool.submit(job, settings, event_id, seconds, times) for _ in range(PROCESSES)]
        rates = [future.result() for future in futures]
    return median(map(sum, zip(*rates, strict=True)))


def _begin(barrier: Barrier) -> None:
    end_with_parent()  # a pool's process does not notice when its parent is killed
    _together.append(barrier)


def _rates(ask: Callable[[], object], seconds: float, times: int) -> list[float]:
    """Calls a second over THREADS threads, warmed up by one call; all processes begin at once."""
    ask()
    rates = []
    for _ in range(times):
        for barrier in _together:
            barrier.wait()
        rates.append(_rate(ask, seconds))
    return rates


def _rate(ask: Callable[[], object], seconds: float) -> float:
    deadline = time.perf_counter() + seconds

    def run(_: int) -> int:
        count = 0
        while time.perf_counter() < deadline:
            ask()
            count += 1
        return count

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(run, range(THREADS))) / seconds
