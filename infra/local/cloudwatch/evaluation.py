"""Whether an alarm is to ring, as CloudWatch decides. Pure: points come in, a state goes out.

Follows "Configuring how CloudWatch alarms treat missing data" in the Amazon CloudWatch User Guide.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from infra.local.cloudwatch.definitions import MetricAlarm

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
SPARE_PERIODS = 2
"""CloudWatch looks at more periods than it needs, so that one that is missing does not matter."""

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_SIGNS = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}


class Finding(NamedTuple):
    """A state and why."""

    state: State
    reason: str


def periods_of(alarm: MetricAlarm) -> int:
    """How many periods an evaluation looks at."""
    return alarm.evaluation_periods + SPARE_PERIODS


def evaluate(alarm: MetricAlarm, points: Sequence[float | None], now: State) -> Finding:
    """The state after `points`: one for each period, the newest last, None where there is no data.

    `now` is the state until now, which `ignore` may keep.
    """
    breaches = _BREACHES[alarm.comparison_operator]
    seen = [None if point is None else breaches(point, alarm.threshold) for point in points]
    state = _state(alarm, seen, now)
    return Finding(state, _reason(alarm, points, state))


def _state(alarm: MetricAlarm, seen: Sequence[bool | None], now: State) -> State:
    needed, wanted = alarm.evaluation_periods, alarm.datapoints_to_alarm
    known = [each for each in seen if each is not None][-needed:]
    bad, missing = sum(known), needed - len(known)
    if alarm.treat_missing_data == "breaching":
        bad += missing
    elif alarm.treat_missing_data != "notBreaching" and missing:
        if not known:
            return now if alarm.treat_missing_data == "ignore" else "INSUFFICIENT_DATA"
        if bad < wanted and all(known):
            return _of_bad_ones_alone(alarm, seen, now)
    return "ALARM" if bad >= wanted else "OK"


def _of_bad_ones_alone(alarm: MetricAlarm, seen: Sequence[bool | None], now: State) -> State:
    """Fewer points than wanted, and all of them bad: it rings once the oldest is old enough."""
    if alarm.treat_missing_data == "ignore":
        return now
    recent = seen[-alarm.evaluation_periods :]
    age = next((len(recent) - place for place, each in enumerate(recent) if each), 0)
    return "ALARM" if age >= alarm.datapoints_to_alarm else "OK"


def _reason(alarm: MetricAlarm, points: Sequence[float | None], state: State) -> str:
    known = [point for point in points if point is not None][-alarm.evaluation_periods :]
    if not known:
        return (
            f"No data for {len(points)} periods of {alarm.period} s; treated as {alarm.treat_missing_data}."
        )
    shown = ", ".join(f"{point:g}" for point in reversed(known))
    crossed = "crossed" if state == "ALARM" else "not crossed"
    return (
        f"Threshold {crossed}: {alarm.chosen} over {alarm.period} s {_SIGNS[alarm.comparison_operator]}"
        f" {alarm.threshold:g} in {alarm.datapoints_to_alarm} of {alarm.evaluation_periods};"
        f" latest first: {shown}."
    )
