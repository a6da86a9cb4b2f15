"""Looks at every alarm and remembers when each one changed. What a state follows from: `evaluation.py`.

Its periods end with the last second that can be complete, not with a multiple of the period as in AWS: an
alarm rises and clears some seconds sooner here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from infra.local.cloudwatch.definitions import CompositeAlarm, MetricAlarm
from infra.local.cloudwatch.evaluation import Finding, State, evaluate, periods_of
from infra.local.cloudwatch.rule import holds, names_in
from infra.local.cloudwatch.store import Store

SETTLED_SECONDS = 1
"""What happened in a second is in the logs within the next one, and read at once."""
CHANGES_AT_MOST = 10_000

Alarm = MetricAlarm | CompositeAlarm


@dataclass(frozen=True)
class Standing:
    """How an alarm stands, and since when (seconds since the Unix epoch)."""

    alarm: Alarm
    state: State
    reason: str
    since: float


@dataclass(frozen=True)
class Change:
    """An alarm went from one state to another."""

    alarm: Alarm
    at: float
    before: State
    after: State
    reason: str


class Watch:
    """The alarms of one stage. Thread-safe."""

    def __init__(self, alarms: Sequence[Alarm], store: Store, now: float) -> None:
        """Every alarm begins without data, as in AWS. Raises BadRule or LookupError for a bad rule."""
        names = {alarm.alarm_name for alarm in alarms}
        for alarm in alarms:
            if isinstance(alarm, CompositeAlarm) and (strange := set(names_in(alarm.alarm_rule)) - names):
                raise LookupError(f"{alarm.alarm_name} speaks of {strange}")
        self._store = store
        self._lock = Lock()
        self._standings = {
            alarm.alarm_name: Standing(alarm, "INSUFFICIENT_DATA", "Not evaluated yet.", now)
            for alarm in alarms
        }
        self._changes: deque[Change] = deque(maxlen=CHANGES_AT_MOST)

    def standings(self) -> list[Standing]:
        """Every alarm, in the order of the definitions."""
        with self._lock:
            return list(self._standings.values())

    def changes(self) -> list[Change]:
        """What has changed, the oldest first."""
        with self._lock:
            return list(self._changes)

    def look(self, now: float) -> None:
        """Evaluates all alarms at this time; composite ones last, on what the others have become."""
        with self._lock:
            for standing in list(self._standings.values()):
                if isinstance(standing.alarm, MetricAlarm):
                    self._note(standing, self._evaluated(standing.alarm, standing.state, now), now)
            for standing in list(self._standings.values()):
                if isinstance(standing.alarm, CompositeAlarm):
                    self._note(standing, self._combined(standing.alarm), now)

    def _evaluated(self, alarm: MetricAlarm, state: State, now: float) -> Finding:
        periods = periods_of(alarm)
        end = int(now) - SETTLED_SECONDS
        start = end - periods * alarm.period
        found = self._store.distributions(alarm.metric, start, end, alarm.period)
        points = [
            found[at].statistic(alarm.chosen) if at in found else None
            for at in range(start, end, alarm.period)
        ]
        return evaluate(alarm, points, state)

    def _combined(self, alarm: CompositeAlarm) -> Finding:
        states = {name: standing.state for name, standing in self._standings.items()}
        ringing = [name for name in names_in(alarm.alarm_rule) if states[name] == "ALARM"]
        if holds(alarm.alarm_rule, states):
            return Finding("ALARM", f"In alarm: {', '.join(ringing)}." if ringing else "The rule holds.")
        return Finding("OK", "The rule does not hold.")

    def _note(self, standing: Standing, finding: Finding, now: float) -> None:
        name = standing.alarm.alarm_name
        changed = finding.state != standing.state
        if changed:
            self._changes.append(Change(standing.alarm, now, standing.state, *finding))
        if changed or standing.reason != finding.reason:
            since = now if changed else standing.since
            self._standings[name] = Standing(standing.alarm, finding.state, finding.reason, since)
