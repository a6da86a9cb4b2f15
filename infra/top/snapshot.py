"""Asks the service all that the live view shows, at one moment. It knows the HTTP contract and no terminal.

A part that cannot be had is left out, and its place says why: a view that is wanted most while something is
down must not go down with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import click

Facts = dict[str, Any]

SELLING = ("on-sale", "paused", "scheduled", "sold-out", "closed")
"""States of a sale, the one to look at first: of two in the same state, the newer one."""
LATENCIES = {
    "acceptP50": ("AcceptLatency", "p50"),
    "acceptP99": ("AcceptLatency", "p99"),
    "decideP50": ("DecideLatency", "p50"),
    "decideP99": ("DecideLatency", "p99"),
}
LATENCY_SECONDS = 10
PAGE = 100


class Asking(Protocol):
    """Whoever asks the service: `infra.operator.Operator`. Raises click.ClickException with a sentence."""

    def get(self, path: str, **query: object) -> Facts:
        """Reads."""

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Facts:
        """Asks with a body."""


@dataclass(frozen=True)
class Snapshot:
    """What was answered, each as the service said it; None is what could not be had."""

    at: datetime
    sale: Facts | None
    queue: Facts | None
    alarms: Facts | None
    latencies: Mapping[str, float] | None
    """Milliseconds, by the names of LATENCIES; only those that were measured lately."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """By part: a sentence that says why it is not there."""

    def as_json(self) -> Facts:
        """The same for programs."""
        names = ("sale", "queue", "alarms", "latencies", "missing")
        return {"at": self.at.isoformat()} | {name: getattr(self, name) for name in names}


def newest_that_sells(service: Asking) -> int:
    """The event to look at when nobody has named one. Raises click.ClickException when there is none."""
    events: list[Facts] = []
    cursor = None
    while True:
        page = service.get("/events", limit=PAGE, cursor=cursor)
        events += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    if not events:
        raise click.ClickException("There is no event yet. Make one, or try `make rush`.")
    best = min(events, key=lambda event: (SELLING.index(event["status"]), -event["id"]))
    return int(best["id"])


def take(service: Asking, event_id: int, stage: str, seconds: int) -> Snapshot:
    """Looks once. `seconds` is how much of the sale its curve shows; `stage` is in every metric's name."""
    missing: dict[str, str] = {}

    def part(name: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except click.ClickException as error:
            missing[name] = error.message
            return None

    now = datetime.now(UTC)
    return Snapshot(
        at=now,
        sale=part("sale", lambda: service.get(f"/ops/events/{event_id}/sale", seconds=seconds)),
        queue=part("queue", lambda: service.get("/ops/queue")),
        alarms=part("alarms", lambda: service.get("/ops/alarms")),
        latencies=part("latencies", lambda: _latencies(service, stage, now)),
        missing=missing,
    )


def _latencies(service: Asking, stage: str, now: datetime) -> dict[str, float]:
    queries = [
        {
            "id": name,
            "namespace": "Onsale",
            "metric": metric,
            "dimensions": {"Stage": stage},
            "stat": stat,
            "periodSeconds": LATENCY_SECONDS,
        }
        for name, (metric, stat) in LATENCIES.items()
    ]
    starts_at = now - timedelta(seconds=6 * LATENCY_SECONDS)
    asked = {"startsAt": starts_at.isoformat(), "endsAt": now.isoformat(), "queries": queries}
    results = service.post("/ops/metrics", asked)["results"]
    return {each["id"]: each["values"][-1] for each in results if each["values"]}
