"""The cost model: what is multiplied, what is left out, and that the price list says where it comes from."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from infra.cost.cost import Handling, bill
from infra.cost.prices import Prices, list_prices

ORDER = Handling(
    door_ms=10, worker_ms=2, worker_calls=0.02, messages=1, log_bytes=1 << 20, answer_bytes=1 << 20
)


def costs(handled: Handling, count: int = 1_000_000) -> dict[tuple[str, str], float]:
    return {
        (line.what, line.price): round(line.cost, 6) for line in bill(handled, list_prices(), count).lines
    }


def test_an_order_is_paid_for_at_the_edge_in_two_functions_on_the_queue_in_the_logs_and_on_the_way_out() -> (
    None
):
    assert costs(ORDER) == {
        ("the request at the edge", "api-gateway-rest-request"): 3.5,
        ("calls of the door's function", "lambda-request"): 0.2,
        ("time in the door's function", "lambda-arm64-gb-second"): 0.133334,
        ("queue: send, receive, delete", "sqs-standard-request"): 1.2,
        ("queue: fairness between events", "sqs-fair-queue-request"): 0.1,
        ("calls of the fulfilment function", "lambda-request"): 0.004,
        ("time in the fulfilment function", "lambda-arm64-gb-second"): 0.026667,
        ("logs and metrics written", "cloudwatch-logs-ingested-gb"): 488.28125,
        ("the answer to the buyer", "data-transfer-out-gb"): 87.890625,
    }


def test_a_refusal_pays_for_no_queue_and_no_worker() -> None:
    assert {what for what, _ in costs(Handling(door_ms=2, answer_bytes=700))} == {
        "the request at the edge",
        "calls of the door's function",
        "time in the door's function",
        "the answer to the buyer",
    }


def test_the_sum_is_the_sum_and_grows_with_the_count() -> None:
    one, many = (bill(ORDER, list_prices(), count) for count in (1, 1_000))
    assert many.total == pytest.approx(sum(line.cost for line in many.lines))
    assert many.total == pytest.approx(1_000 * one.total)


def test_half_the_memory_is_half_the_time_to_pay_for() -> None:
    half = costs(replace(ORDER, memory_mb=512))
    assert half["time in the door's function", "lambda-arm64-gb-second"] == 0.066667


def test_every_price_says_its_day_its_unit_and_where_it_was_found() -> None:
    prices = list_prices()
    assert (prices.currency, prices.region) == ("USD", "us-east-1")
    for price in prices.prices:
        assert price.price > 0
        assert price.unit
        assert price.source.startswith("https://aws.amazon.com/")
        assert date.fromisoformat(price.as_of)
        assert price.where if price.confirmed else not price.where


def test_a_price_that_is_not_in_the_list_is_an_error_and_not_nothing() -> None:
    with pytest.raises(KeyError):
        bill(ORDER, Prices("USD", "us-east-1", "", ()))
