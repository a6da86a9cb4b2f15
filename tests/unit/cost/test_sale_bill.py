"""The bill of an on-sale: by hand, whole, and never less for more people."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.metrics import METRICS
from infra.capacity.limits import Catalogue, Figure, catalogue
from infra.cost.bill import UNUSED, by_use, priced
from infra.cost.onsale import Answer, named_prices, reckon
from infra.cost.prices import Price, Prices, list_prices
from infra.cost.sale import Impossible, OnSale
from infra.cost.saved import BUILT
from infra.cost.standing import METRICS_ALL_BY_EVENT, STANDARD_METRICS, Standing
from infra.cost.table import remarks

ALARMS = Path(__file__).resolve().parents[3] / "infra" / "cloudwatch" / "alarms.json"
CODES = 4
ROUND = {
    "refusal-cpu": 580.0,
    "accept-cpu": 1_160.0,
    "get-cpu": 10.0,
    "refused-cpu": 20.0,
    "admitted-cpu": 30.0,
    "ledger-10": 10_000.0,
    "ledger-100": 50_000.0,
    "ledger-1000": 50_000.0,
    "order-cpu": 50.0,
}
"""On 0.58 of a core a refusal takes 1 ms and an accept 2; a batch of 10 takes 1 ms, one of 100 takes 2."""


def known() -> Catalogue:
    figures = tuple(Figure(id=i, name=i, value=v, unit="", source="", note="") for i, v in ROUND.items())
    return Catalogue(limits=(), measured=figures)


def answer(attempts: int = 1_000_000, tickets: int = 100_000, *, polls: float | None = 2.0) -> Answer:
    sale = OnSale(tickets=tickets, attempts=attempts, minutes=20, polls_per_order=polls)
    return reckon(sale, known(), list_prices())


def costs(found: Answer) -> dict[tuple[str, str], float]:
    return {(each.service, each.position.what): round(each.position.cost, 6) for each in found.bill.lines}


def test_what_is_paid_by_use_is_what_a_hand_works_out() -> None:
    found = costs(answer())
    # 100,000 orders, 900,000 refusals, 200,000 polls.
    assert found["API Gateway", "requests: orders, refusals, polls"] == 4.2
    assert found["WAF", "requests looked at"] == 0.72
    assert found["Lambda", "calls of the door"] == 0.24
    # Refusal 1, gate 1, Lambda 1, rounding 0.5; order 2, gate and send 11, 1, 0.5; poll 3.5 and half of 5.
    door_seconds = 900_000 * 0.0035 + 100_000 * 0.0145 + 200_000 * 0.006
    assert found["Lambda", "time in the door"] == pytest.approx(door_seconds * 0.0000077778, abs=1e-6)
    assert found["Lambda", "calls of fulfilment"] == 0.0002
    # 1,000 batches of 2 ms, 10 of waiting and 0.5 of rounding.
    assert found["Lambda", "time in fulfilment"] == pytest.approx(12.5 * 0.0000133334, abs=1e-6)
    # A send each, and a receive and a delete for ten.
    assert found["SQS", "sends, receives, deletes"] == 0.048
    assert found["SQS", "fairness between events"] == 0.01
    log = 1_000_000 * 610 + (1_200_000 + 1_000) * 350
    assert found["CloudWatch", "log, metrics in it"] == pytest.approx(log / 2**30 * 0.5, abs=1e-6)
    sent = 300_000 * 890 + 900_000 * 610
    assert found["Data transfer", "answers to the buyers"] == pytest.approx(sent / 2**30 * 0.09, abs=1e-6)


def test_what_is_paid_by_the_hour_is_what_a_hand_works_out() -> None:
    found = costs(answer())
    hours = 80 / 60
    assert found["Aurora", "capacity"] == round(2 * 2 * hours * 0.12, 6)
    assert found["RDS Proxy", "capacity"] == round(8 * hours * 0.015, 6)
    assert found["ElastiCache", "data"] == round(hours * 0.084, 6)
    # A refusal 2, an order 3, a poll 1.2, a batch 10; no second needs more than a slot has.
    ecpu = 900_000 * 2 + 100_000 * 3 + 200_000 * 1.2 + 1_000 * 10
    assert found["ElastiCache", "ECPU, the minimum if that is more"] == round(ecpu * 0.0023 / 1e6, 6)
    # Two endpoints in two zones and two NAT gateways, two whole hours.
    assert found["VPC", "endpoints in each zone"] == 0.08
    assert found["VPC", "NAT gateways"] == 0.18
    assert found["CloudWatch", "custom metrics"] == round(52 * 2 / 730 * 0.3, 6)
    assert found["Secrets Manager", "secrets"] == round(3 * 2 / 730 * 0.4, 6)


def test_a_rate_that_one_slot_does_not_carry_pays_for_a_minimum_from_the_first_minute() -> None:
    quick = reckon(OnSale(tickets=100_000, attempts=20_000_000, minutes=10), known(), list_prices())
    rate = quick.quantities.need.gate_ecpu
    assert rate > 30_000
    assert quick.standing.least_ecpu >= rate * 70 * 60 > quick.quantities.ecpu


def test_environments_are_kept_warm_in_steps_of_five_minutes() -> None:
    found = reckon(OnSale(tickets=10, attempts=6_000, minutes=1), known(), list_prices())
    assert found.standing.warm_seconds == 15 * 60
    warm = costs(found)["Lambda", "environments kept warm"]
    assert warm == round(found.quantities.need.environments * 900 * 0.0000033334, 6)


def test_the_sum_is_that_of_the_services_and_a_ticket_is_its_share() -> None:
    found = answer()
    assert found.bill.total == pytest.approx(sum(each.position.cost for each in found.bill.lines))
    assert found.bill.total == pytest.approx(sum(found.services.values()))
    assert found.a_ticket == pytest.approx(found.bill.total / 100_000)


def test_a_million_refusals_are_what_a_million_attempts_more_would_add_by_use() -> None:
    few, many = (
        priced([*by_use(found.quantities, BUILT, 1.0)], list_prices()).total
        for found in (answer(2_000_000), answer(3_000_000))
    )
    gate = 1_000_000 * 2 * 0.0023 / 1e6
    assert answer(2_000_000).a_million_refusals == pytest.approx(many - few + gate)


@pytest.mark.parametrize("tickets", [1, 1_000, 100_000])
@pytest.mark.parametrize("polls", [None, 0.0, 3.0])
def test_more_attempts_never_cost_less(tickets: int, polls: float | None) -> None:
    attempts = [tickets + more for more in (0, 1, 10, 999, 50_000, 1_000_000, 30_000_000, 900_000_000)]
    totals = [
        reckon(
            OnSale(tickets=tickets, attempts=each, minutes=10, polls_per_order=polls),
            catalogue(),
            list_prices(),
        ).bill.total
        for each in attempts
    ]
    assert all(less < more for less, more in pairwise(totals))


def test_more_time_to_prepare_costs_more() -> None:
    sale = OnSale(tickets=10, attempts=100, minutes=10)
    hour, day = (
        reckon(sale, catalogue(), list_prices(), around=Standing(prepare_minutes=each)).bill.total
        for each in (60, 1_440)
    )
    assert hour < day


def test_nobody_buys_two_tickets_in_one_attempt() -> None:
    with pytest.raises(Impossible, match="11 tickets cannot be sold in 10 attempts"):
        OnSale(tickets=11, attempts=10, minutes=1)


def forgotten(prices: Prices) -> set[str]:
    asked = named_prices(OnSale(tickets=10, attempts=100, minutes=10), known())
    return {price.name for price in prices.prices} - asked - set(UNUSED)


def test_every_price_in_the_list_is_in_the_bill_or_in_a_comparison() -> None:
    assert forgotten(list_prices()) == set()
    assert not set(UNUSED) & named_prices(OnSale(tickets=10, attempts=100, minutes=10), known())


def test_a_price_that_nothing_asks_for_is_noticed() -> None:
    prices = list_prices()
    another = Price("cloudfront-request", 1.0, 1_000_000, "request", "2026-11-23", "https://aws.amazon.com/")
    assert forgotten(replace(prices, prices=(*prices.prices, another))) == {"cloudfront-request"}


def test_a_service_that_has_no_price_is_an_error_and_not_nothing() -> None:
    prices = list_prices()
    short = replace(prices, prices=tuple(each for each in prices.prices if each.name != "rds-proxy-acu-hour"))
    with pytest.raises(KeyError, match="rds-proxy"):
        reckon(OnSale(tickets=10, attempts=100, minutes=10), known(), short)


def test_a_price_that_nobody_has_found_stated_is_named() -> None:
    prices = list_prices()
    doubtful = replace(
        prices,
        prices=tuple(
            replace(each, confirmed=None) if each.name in ("rds-proxy-acu-hour", "nat-gateway-gb") else each
            for each in prices.prices
        ),
    )
    sale = OnSale(tickets=10, attempts=100, minutes=10)
    assert reckon(sale, known(), doubtful).unconfirmed == ("rds-proxy-acu-hour",)
    shown = list(remarks(reckon(sale, known(), doubtful)))
    assert "* No text was found that states this price." in shown
    assert "*" not in "".join(remarks(reckon(sale, known(), prices)))


def test_alarms_are_counted_as_they_are_deployed() -> None:
    deployed = msgspec.json.decode(ALARMS.read_bytes()).values()
    periods = [each["Properties"].get("Period") for each in deployed]
    around = Standing()
    assert around.fast_alarms == sum(1 for period in periods if period and period < 60)
    assert around.alarms == sum(1 for period in periods if period and period >= 60)
    assert around.composite_alarms == sum(1 for period in periods if not period)


def test_metrics_are_counted_as_the_service_names_their_dimensions() -> None:
    sets = [(name, keys) for name, metric in METRICS.items() for keys in metric.sets]
    plain = {(name, tuple(key for key in keys if key != "EventId")) for name, keys in sets}
    assert sum(_series(keys) for _, keys in sets) == STANDARD_METRICS
    assert 2 * sum(_series(keys) for _, keys in plain) == METRICS_ALL_BY_EVENT


def _series(keys: tuple[str, ...]) -> int:
    return CODES if "Code" in keys else 1
