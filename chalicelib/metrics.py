"""What is counted and timed, and how it is told: CloudWatch's embedded metric format, one log line each.

A line that carries metrics is a line of the log with some members more; CloudWatch Logs makes metrics of it
by itself, and nobody waits for a call. The table METRICS is all there is: dashboards and alarms are held
against it. Written by hand: a few µs a line (docs/decisions/0017). Knows no store, and must be given no
personal data: event ids and codes are all that figures of one metric are told apart by.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from chalicelib.log import write

NAMESPACE = "Onsale"
MAX_VALUES = 100
"""Of one metric in one line, says the embedded metric format's specification."""

Value = int | float | Sequence[float]
"""One figure, or several: to MAX_VALUES."""


class Metric(NamedTuple):
    """A metric's unit, as CloudWatch names it, and its dimension sets: it is published under each of them."""

    unit: str
    sets: tuple[tuple[str, ...], ...]


_S: tuple[str, ...] = ("Stage",)
_E, _SC, _EC = (*_S, "EventId"), (*_S, "Code"), (*_S, "EventId", "Code")

METRICS: Mapping[str, Metric] = {
    "Accepted": Metric("Count", (_S, _E)),
    "Replayed": Metric("Count", (_S,)),
    "Refused": Metric("Count", (_S, _SC, _E, _EC)),
    "Unavailable": Metric("Count", (_S,)),
    "AcceptLatency": Metric("Milliseconds", (_S,)),
    "RefuseLatency": Metric("Milliseconds", (_S,)),
    "Confirmed": Metric("Count", (_S, _E)),
    "Reserved": Metric("Count", (_S, _E)),
    "Rejected": Metric("Count", (_S, _E, _SC)),
    "Expired": Metric("Count", (_S, _E)),
    "Cancelled": Metric("Count", (_S, _E)),
    "DecideLatency": Metric("Milliseconds", (_S, _E)),
    "BatchSize": Metric("Count", (_S,)),
    "ApplyLatency": Metric("Milliseconds", (_S,)),
    "VersionConflicts": Metric("Count", (_S,)),
    "Retries": Metric("Count", (_S,)),
    "BreakerOpen": Metric("Count", (_S,)),
    "DeadLettered": Metric("Count", (_S,)),
    "QueueDepth": Metric("Count", (_S,)),
    "QueueInFlight": Metric("Count", (_S,)),
    "QueueDelayed": Metric("Count", (_S,)),
    "DeadLetters": Metric("Count", (_S,)),
    "OldestAge": Metric("Seconds", (_S,)),
    "GateDrift": Metric("Count", (_S, _E)),
    "ConservationGap": Metric("Count", (_S, _E)),
    "Payments": Metric("Count", (_S, _SC)),
}
"""Every metric of the service, by name."""

_stage = ["local"]


def set_stage(stage: str) -> None:
    """Says which deployment this is: the dimension Stage of every metric from now on."""
    _stage[0] = stage


def emit(  # noqa: PLR0913 - a line has that many parts
    event: str,
    values: Mapping[str, Value],
    level: str = "info",
    fields: Mapping[str, object] = {},
    *,
    event_id: int | None = None,
    code: str | None = None,
    of_event_only: bool = False,
) -> None:
    """Writes one line of the log that carries `values`, by the names of METRICS, whatever the log's level is.

    `event`, `level` and `fields` are as in `log`. A dimension set is published when all of it is known: those
    with EventId only with an `event_id`, those with Code only with a `code`. `of_event_only` leaves out the
    sets without EventId, for a gauge whose total is told in a line of its own. Raises KeyError for a name
    that is not in the table; like `log`, nothing when the line cannot be written.
    """
    shape = _shape(tuple(values), event_id is not None, code is not None, of_event_only)
    root: dict[str, object] = {**fields, "Stage": _stage[0]}
    if event_id is not None:
        root["EventId"] = str(event_id)
    if code is not None:
        root["Code"] = code
    root.update(values)
    write(event, level, root, b',"_aws":{"Timestamp":%d%b}' % (time.time_ns() // 1_000_000, shape))


def ms_since(began: float) -> float:
    """Milliseconds since `began`, a moment of `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1_000, 3)


def chunks(values: Sequence[float]) -> Iterable[Sequence[float]]:
    """Parts of `values` that fit a line each; none when there are none."""
    return (values[start : start + MAX_VALUES] for start in range(0, len(values), MAX_VALUES))


@lru_cache(maxsize=256)
def _shape(names: tuple[str, ...], with_event: bool, with_code: bool, of_event_only: bool) -> bytes:
    """The directives of a line: metrics that are published under the same sets share one."""
    known = {"Stage"} | ({"EventId"} if with_event else set()) | ({"Code"} if with_code else set())
    directives: dict[tuple[tuple[str, ...], ...], list[dict[str, object]]] = {}
    for name in names:
        unit, sets = METRICS[name]
        published = tuple(
            keys for keys in sets if known.issuperset(keys) and not (of_event_only and "EventId" not in keys)
        )
        definition = {"Name": name, "Unit": unit, "StorageResolution": 1}
        directives.setdefault(published, []).append(definition)
    listed = [
        {"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}
        for sets, metrics in directives.items()
    ]
    return b',"CloudWatchMetrics":' + msgspec.json.encode(listed)
