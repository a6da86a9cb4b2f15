"""Alarms ring as CloudWatch's would: its own table of missing data, composite rules, what is remembered."""

from __future__ import annotations

import pytest

from infra.local.cloudwatch.definitions import CompositeAlarm, Dimension, MetricAlarm, Missing
from infra.local.cloudwatch.evaluation import SPARE_PERIODS, State, evaluate
from infra.local.cloudwatch.metric import Target
from infra.local.cloudwatch.rule import BadRule, holds, names_in
from infra.local.cloudwatch.store import Store
from infra.local.cloudwatch.watch import Watch

KEEP = "KEEP"
TREATMENTS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")


def alarm(
    n: int = 3, m: int = 3, missing: Missing = "missing", comparison: str = "GreaterThanThreshold"
) -> MetricAlarm:
    return MetricAlarm(
        alarm_name="onsale-local-x",
        alarm_description="",
        namespace="Onsale",
        metric_name="OldestAge",
        dimensions=[Dimension("Stage", "local")],
        period=10,
        evaluation_periods=n,
        datapoints_to_alarm=m,
        threshold=60,
        comparison_operator=comparison,  # type: ignore[arg-type]
        treat_missing_data=missing,
        statistic="Maximum",
    )


def points(drawn: str) -> list[float | None]:
    """As the User Guide draws them: X breaches, 0 does not, - is missing."""
    return [{"X": 61.0, "0": 60.0, "-": None}[each] for each in drawn.split()]


# From "Configuring how CloudWatch alarms treat missing data": M, points, and the state for each treatment.
# The last row is what the guide says of one bad point that is younger than M periods.
TABLE = [
    (3, "0 - X - X", "OK", "OK", "OK", "OK"),
    (3, "0 - - - -", "OK", "OK", "OK", "OK"),
    (3, "- - - - -", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    (3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (3, "- - X - -", "ALARM", KEEP, "ALARM", "OK"),
    (2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    (2, "0 - X - -", "OK", "OK", "ALARM", "OK"),
    (2, "- - - - 0", "OK", "OK", "ALARM", "OK"),
    (2, "- - - X -", "ALARM", KEEP, "ALARM", "OK"),
    (2, "- - - - X", "OK", KEEP, "ALARM", "OK"),
]


@pytest.mark.parametrize("now", ["OK", "ALARM"])
@pytest.mark.parametrize("row", TABLE, ids=[f"{row[0]} of 3: {row[1]}" for row in TABLE])
def test_the_user_guides_table(row: tuple[int, str, str, str, str, str], now: State) -> None:
    m, drawn, *expected = row
    assert len(points(drawn)) == 3 + SPARE_PERIODS
    found = [evaluate(alarm(3, m, missing), points(drawn), now).state for missing in TREATMENTS]
    assert found == [now if state == KEEP else state for state in expected]


@pytest.mark.parametrize(
    ("comparison", "rings"),
    [
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("GreaterThanThreshold", [False, False, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_each_comparison_just_below_at_and_just_above(comparison: str, rings: list[bool]) -> None:
    one = alarm(1, 1, comparison=comparison)
    assert [evaluate(one, [value], "OK").state == "ALARM" for value in (59.9, 60.0, 60.1)] == rings


def test_a_reason_says_what_was_seen() -> None:
    assert "61" in evaluate(alarm(), points("X X X X X"), "OK").reason
    assert "No data" in evaluate(alarm(), points("- - - - -"), "OK").reason


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ("ALARM(a)", True),
        ("ALARM(b)", False),
        ('OK("b") AND ALARM(a)', True),
        ("ALARM(b) OR ALARM(b) AND NOT ALARM(a)", False),
        ("NOT (ALARM(b) OR INSUFFICIENT_DATA(a))", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a)", True),
        ("ALARM(a) OR FALSE AND FALSE", True),
        ("TRUE", True),
    ],
)
def test_composite_rules(rule: str, *, true: bool) -> None:
    assert holds(rule, {"a": "ALARM", "b": "OK"}) is true


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM(a", "ALARM(a) ALARM(b)", "(TRUE", "NOT", "a AND b"])
def test_a_rule_that_is_none(rule: str) -> None:
    with pytest.raises(BadRule):
        holds(rule, {"a": "OK", "b": "OK"})


def test_a_rule_names_its_alarms() -> None:
    assert names_in('ALARM(a) OR NOT OK("b c")') == ["a", "b c"]


IN_TROUBLE = CompositeAlarm(
    alarm_name="onsale-local-trouble", alarm_description="", alarm_rule="ALARM(onsale-local-x)"
)
NOW = 1_000_000.0


def watched(clock: list[float]) -> tuple[Watch, Store]:
    store = Store(lambda: clock[0])
    return Watch([IN_TROUBLE, alarm(1, 1, "ignore")], store, clock[0]), store


def test_an_alarm_rises_and_clears_its_composite_with_it_and_both_are_remembered() -> None:
    clock = [NOW]
    watch, store = watched(clock)
    target = Target([alarm().metric])
    for second, age in enumerate([0, 0, 61, 61, 0]):
        clock[0] = NOW + 10 * second
        store.add({(target, int(clock[0]) - 5): {float(age): 1}})
        watch.look(clock[0])
    assert [(change.alarm.alarm_name[13:], change.before, change.after) for change in watch.changes()] == [
        ("x", "INSUFFICIENT_DATA", "OK"),
        ("trouble", "INSUFFICIENT_DATA", "OK"),
        ("x", "OK", "ALARM"),
        ("trouble", "OK", "ALARM"),
        ("x", "ALARM", "OK"),
        ("trouble", "ALARM", "OK"),
    ]
    assert [each.since for each in watch.standings()] == [NOW + 40, NOW + 40]


def test_without_a_breach_nothing_rings() -> None:
    """The negative control of the test above."""
    clock = [NOW]
    watch, store = watched(clock)
    for second in range(5):
        clock[0] = NOW + 10 * second
        store.add({(Target([alarm().metric]), int(clock[0]) - 5): {60.0: 1}})
        watch.look(clock[0])
    assert "ALARM" not in {change.after for change in watch.changes()}


def test_a_composite_of_an_alarm_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        Watch([IN_TROUBLE], Store(), 0)
