"""What each choice saved: the difference of two bills, and nothing else."""

from __future__ import annotations

import pytest

from infra.capacity.limits import catalogue
from infra.cost.onsale import reckon
from infra.cost.prices import list_prices
from infra.cost.sale import Design, OnSale
from infra.cost.saved import BUILT, CHOICES, Saving, saved

SALE = OnSale(tickets=100_000, attempts=5_000_000, minutes=10, polls_per_order=2)


def saving(instead: str) -> float:
    found = reckon(SALE, catalogue(), list_prices()).saved
    return next(each.saved for each in found if each.instead == instead)


def test_every_choice_differs_from_what_was_built() -> None:
    assert all(choice.design() != BUILT for choice in CHOICES)


def test_every_other_way_to_build_it_is_compared() -> None:
    compared = {name for choice in CHOICES for name in choice.otherwise}
    assert compared == set(Design.__struct_fields__)


def test_a_choice_that_changes_nothing_saves_nothing() -> None:
    assert {each.saved for each in saved(lambda _: 5.0)} == {0.0}


def test_a_dearer_alternative_is_a_saving_and_a_cheaper_one_a_price() -> None:
    found = saved(lambda built: 7.0 if built.metric_calls else 5.0 if built.endpoints else 4.0)
    assert [each for each in found if each.saved] == [
        Saving("metrics as log lines (EMF)", "one PutMetricData a request", 2.0, "5 ms a call, assumed"),
        Saving(
            "SQS, secrets by endpoint",
            "by the NAT gateways",
            -1.0,
            "the price of orders that no NAT gateway can stop",
        ),
    ]


def test_sends_by_ten_would_save_nine_requests_of_ten() -> None:
    assert saving("sends put together by ten") == pytest.approx(-90_000 * 0.4 / 1e6)


def test_one_by_one_is_a_receive_and_a_delete_each_and_a_hundred_times_the_calls() -> None:
    requests = 2 * 90_000 * 0.4 / 1e6
    calls = 99_000 * 0.2 / 1e6
    assert saving("one by one") > requests + calls


def test_a_metric_by_call_is_dearer_than_by_line_by_its_price_and_the_waiting_less_the_bytes() -> None:
    calls = 5_001_000 * 0.01 / 1_000
    bytes_less = (5_000_000 * (610 - 165)) / 2**30 * 0.5
    waiting = 5_000_000 * 0.005 * 0.0000077778 + 1_000 * 0.005 * 0.0000133334
    assert saving("one PutMetricData a request") == pytest.approx(calls + waiting - bytes_less)


def test_queueing_everybody_pays_for_a_message_and_polls_of_each_who_is_refused() -> None:
    messages = 4_900_000 * (1.2 * 0.4 + 0.1) / 1e6
    polls = 2 * 4_900_000 * (3.5 + 0.6 + 0.2) / 1e6
    assert saving("every attempt queued, refused by the ledger") > messages + polls


def test_an_http_api_is_cheaper_by_its_price_and_by_the_waf_that_it_cannot_have() -> None:
    requests = 5_200_000 * (3.5 - 1.0 + 0.6) / 1e6
    acl_and_rule = (5 + 1) * 2 / 730
    found = saving("HTTP API, which has no WAF")
    assert found == pytest.approx(-requests - acl_and_rule)
