"""What one order and one refusal cost on AWS: measured figures times list prices. Pure.

Only what grows with each request is here. Aurora, ElastiCache, RDS Proxy and NAT are paid by the hour,
whether or not anybody buys; free tiers are left out.
"""

from __future__ import annotations

import msgspec

from infra.cost.prices import Prices

GB_BYTES = 1 << 30
SQS_REQUESTS = 3
"""A message is sent, received and deleted. At most: Lambda receives and deletes up to ten at a time."""


class Handling(msgspec.Struct, frozen=True, rename="camel"):
    """What was measured of one kind of request, on average.

    `door_ms` in the handler; `worker_ms` and `worker_calls` are its share of the fulfilment function's
    time and invocations, 0 for what never gets there; `log_bytes` are written,
    `answer_bytes` sent, head and body.
    """

    door_ms: float
    worker_ms: float = 0.0
    worker_calls: float = 0.0
    messages: int = 0
    log_bytes: int = 0
    answer_bytes: int = 0
    memory_mb: int = 1024
    """Of either function."""


class CostLine(msgspec.Struct, frozen=True, rename="camel"):
    """One position: `amount` units of the price list's `price`, which come to `cost` in its currency."""

    what: str
    price: str
    unit: str
    amount: float
    cost: float


class Bill(msgspec.Struct, frozen=True, rename="camel"):
    """The positions for `count` requests of a kind, and their sum."""

    count: int
    currency: str
    lines: tuple[CostLine, ...]
    total: float


def bill(handled: Handling, prices: Prices, count: int = 1) -> Bill:
    """What `count` such requests cost; positions of nothing are left out. Raises KeyError for no price."""
    memory_gb = handled.memory_mb / 1024
    sends = handled.messages
    amounts = (
        ("the request at the edge", "api-gateway-rest-request", 1.0),
        ("calls of the door's function", "lambda-request", 1.0),
        ("time in the door's function", "lambda-arm64-gb-second", handled.door_ms / 1000 * memory_gb),
        ("queue: send, receive, delete", "sqs-standard-request", float(SQS_REQUESTS * sends)),
        ("queue: fairness between events", "sqs-fair-queue-request", float(sends)),
        ("calls of the fulfilment function", "lambda-request", handled.worker_calls),
        ("time in the fulfilment function", "lambda-arm64-gb-second", handled.worker_ms / 1000 * memory_gb),
        ("logs and metrics written", "cloudwatch-logs-ingested-gb", handled.log_bytes / GB_BYTES),
        ("the answer to the buyer", "data-transfer-out-gb", handled.answer_bytes / GB_BYTES),
    )
    lines = tuple(line(prices, what, name, amount * count) for what, name, amount in amounts if amount > 0)
    return Bill(count, prices.currency, lines, sum(each.cost for each in lines))


def line(prices: Prices, what: str, name: str, amount: float) -> CostLine:
    """`amount` units at the price of that name. Raises KeyError when the list has none."""
    price = prices.named(name)
    return CostLine(what, name, price.unit, amount, amount * price.one)
