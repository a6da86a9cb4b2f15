"""What a million orders and refusals of this sale cost: its milliseconds times list prices. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from infra.cost.cost import Handling, bill
from infra.cost.measured import (
    ORDER_ANSWER_BYTES,
    ORDER_LOG_BYTES,
    REFUSAL_ANSWER_BYTES,
    REFUSAL_LOG_BYTES,
)
from infra.cost.prices import Prices
from infra.report.figures import Costs
from infra.report.gathered import Series

MILLION = 1_000_000


class Unpriced(Exception):
    """A measured figure that the model needs is not there; the message says which."""


def costs(series: Mapping[str, Series], prices: Prices) -> Costs:
    """The two bills. The worker's time is that of the whole stage, divided by all that was decided.

    Raises Unpriced when a figure is missing: a bill without one of its positions would be a lie.
    """
    order = Handling(
        door_ms=_mean(series, "accept"),
        worker_ms=_a_decision(series, "worker_ms"),
        worker_calls=_a_decision(series, "worker_calls"),
        messages=1,
        log_bytes=ORDER_LOG_BYTES,
        answer_bytes=ORDER_ANSWER_BYTES,
    )
    refusal = _refusal(series)
    requests = round(_sum(series, "requests"))
    return Costs(
        orders=bill(order, prices, MILLION),
        refusals=bill(refusal, prices, MILLION) if refusal else None,
        order_handled=order,
        refusal_handled=refusal,
        edge_requests=requests,
        edge_cost=requests * prices.named("api-gateway-rest-request").one,
        region=prices.region,
        prices_as_of=min(price.as_of for price in prices.prices),
    )


def _refusal(series: Mapping[str, Series]) -> Handling | None:
    """None when nobody was refused, which is no reason not to price the orders."""
    if not _sum(series, "refuse_ms_count"):
        return None
    return Handling(
        door_ms=_mean(series, "refuse"), log_bytes=REFUSAL_LOG_BYTES, answer_bytes=REFUSAL_ANSWER_BYTES
    )


def _mean(series: Mapping[str, Series], name: str) -> float:
    total, count = _sum(series, f"{name}_ms_sum"), _sum(series, f"{name}_ms_count")
    if not count:
        raise Unpriced(f"nobody measured how long it takes to {name} an order in this window")
    return total / count


def _a_decision(series: Mapping[str, Series], name: str) -> float:
    decided = sum(_sum(series, f"all_{outcome}") for outcome in ("confirmed", "reserved", "rejected"))
    total = _sum(series, name)
    if not decided or not total:
        raise Unpriced("the fulfilment function's time is not there for this window")
    return total / decided


def _sum(series: Mapping[str, Series], name: str) -> float:
    return sum(series.get(name, Series()).values)
