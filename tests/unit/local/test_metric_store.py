"""What was measured comes back as CloudWatch would give it, and what is kept is bounded."""

from __future__ import annotations

import random
import statistics

import pytest

from infra.local.cloudwatch.metric import Target, metric
from infra.local.cloudwatch.statistics import Distribution, is_statistic
from infra.local.cloudwatch.store import FUTURE_SECONDS, KEPT_SECONDS, SWEEP_SECONDS, Store

NOW = 1_000_000
METRIC = metric("Onsale", "Accepted", {"Stage": "local"})
TARGET = Target([METRIC])


def distribution(*samples: float) -> Distribution:
    made = Distribution()
    for sample in samples:
        made.add({sample: 1})
    return made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 4),
        ("Sum", 10),
        ("Average", 2.5),
        ("Minimum", 1),
        ("Maximum", 4),
        ("p0", 1),
        ("p50", 2.5),
        ("p99.9", 3.997),
        ("p100", 4),
    ],
)
def test_each_statistic(name: str, expected: float) -> None:
    assert distribution(4, 1, 3, 2).statistic(name) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["", "sum", "p", "p101", "tm99", "p-1", "P99"])
def test_a_statistic_that_is_not_known(name: str) -> None:
    assert not is_statistic(name)
    with pytest.raises(ValueError, match="no such statistic"):
        distribution(1).statistic(name)


def test_nothing_measured_has_no_statistic_and_what_is_below_0_no_percentile() -> None:
    assert distribution().statistic("Sum") is None
    assert distribution(-1, 1).statistic("p50") is None
    assert distribution(-1, 1).statistic("Average") == 0


def test_sums_are_exact_and_percentiles_are_off_by_half_a_percent_at_most() -> None:
    chance = random.Random(5)
    samples = [chance.lognormvariate(2, 1.5) for _ in range(20_000)]
    whole, merged = distribution(*samples), Distribution()
    for start in range(0, len(samples), 1_000):
        merged.merge(distribution(*samples[start : start + 1_000]))
    exact = statistics.quantiles(samples, n=100, method="inclusive")
    for found in (whole, merged):
        assert found.statistic("Sum") == pytest.approx(sum(samples))
        for percent in (50, 95, 99):
            assert found.statistic(f"p{percent}") == pytest.approx(exact[percent - 1], rel=0.005)
    assert len(whole.values()) < 5_000


def filled(*seconds: int) -> Store:
    store = Store(lambda: float(NOW))
    for second in seconds:
        store.add({(TARGET, second): {1.0: 2}})
    return store


def test_periods_begin_at_multiples_and_empty_ones_have_no_point() -> None:
    store = filled(NOW - 60, NOW - 59, NOW - 35)
    assert NOW % 10 == 0
    assert store.read(METRIC, NOW - 57, NOW, 10, "Sum") == [(NOW - 60, 4.0), (NOW - 40, 2.0)]
    assert store.read(METRIC, NOW - 59, NOW, 1, "SampleCount") == [(NOW - 59, 2.0), (NOW - 35, 2.0)]
    assert store.read(METRIC, NOW - 60, NOW - 35, 1, "Sum") == [(NOW - 60, 2.0), (NOW - 59, 2.0)]


def test_another_set_of_dimensions_is_another_metric() -> None:
    store = filled(NOW)
    assert store.read(metric("Onsale", "Accepted", {}), NOW, NOW + 1, 1, "Sum") == []


def test_what_is_too_old_or_too_far_ahead_is_not_taken() -> None:
    assert filled(NOW - KEPT_SECONDS - 1, NOW + FUTURE_SECONDS + 1).metrics() == []


def test_what_grows_too_old_is_dropped_and_more_while_there_is_too_much() -> None:
    clock = [float(NOW)]
    store = Store(lambda: clock[0], buckets_at_most=50)
    for second in range(NOW - 100, NOW):
        store.add({(TARGET, second): {1.0: 1}})
    clock[0] += SWEEP_SECONDS
    store.add({})
    left = store.read(METRIC, NOW - 200, NOW, 1, "Sum")
    assert 0 < len(left) <= 50
    assert left[-1][0] == NOW - 1, "the newest stay"
    clock[0] += KEPT_SECONDS + 1
    store.add({})
    assert store.metrics() == []
