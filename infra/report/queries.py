"""Which metrics a report asks for, and by which ids they are found in the answers. Pure; `gather.py` asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OURS, EDGE, LAMBDA = "Onsale", "AWS/ApiGateway", "AWS/Lambda"
DOOR_CODES = (
    "sold-out",
    "not-enough-tickets",
    "sale-paused",
    "sale-not-open",
    "sale-closed",
    "rate-limited",
    "order-limit-exceeded",
    "buyer-limit-exceeded",
    "idempotency-key-reused",
    "event-not-found",
    "ticket-type-not-found",
    "invalid-request",
    "malformed-body",
    "payload-too-large",
    "unsupported-media-type",
    "unauthenticated",
    "forbidden",
)
"""Why an order can be refused at the door: `chalicelib/api/problems.py`, most usual first."""
PERCENTILES = ("p50", "p95", "p99")

Query = dict[str, Any]


def attempts(stage: str, event: str, period: int) -> list[Query]:
    """Orders let in, and refused for any reason."""
    return [
        _ours("accepted", "Accepted", "Sum", period, Stage=stage, EventId=event),
        _ours("refused", "Refused", "Sum", period, Stage=stage, EventId=event),
    ]


def over_time(stage: str, event: str, period: int) -> list[Query]:
    """Everything that is drawn, and what costs are worked out from."""
    of_stage, of_event = {"Stage": stage}, {"Stage": stage, "EventId": event}
    codes = [_ours(refused(code), "Refused", "Sum", period, **of_event, Code=code) for code in DOOR_CODES]
    sums = {"confirmed": "Confirmed", "reserved": "Reserved", "rejected": "Rejected"}
    decided = [_ours(f"all_{name}", metric, "Sum", period, **of_stage) for name, metric in sums.items()]
    waits = [
        *_waits("accept", "AcceptLatency", period, of_stage),
        *_waits("decide", "DecideLatency", period, of_event),
    ]
    faults = [
        _ours("unavailable", "Unavailable", "Sum", period, **of_stage),
        _ours("breaker", "BreakerOpen", "Maximum", period, **of_stage),
        _ours("dead", "DeadLettered", "Sum", period, **of_stage),
        _ours("drift", "GateDrift", "Maximum", period, **of_event),
        _ours("gap", "ConservationGap", "Maximum", period, **of_event),
    ]
    asked = attempts(stage, event, period)
    return [*asked, *codes, *decided, *waits, *_means(period, of_stage), *faults]


def of_aws(stage: str, period: int) -> list[Query]:
    """What AWS itself counts, of all events together."""
    edge, worker = _edge_of(stage), {"FunctionName": f"onsale-{stage}-fulfil"}
    return [
        _query("requests", EDGE, "Count", "Sum", period, edge),
        _query("errors", EDGE, "5XXError", "Sum", period, edge),
        _query("worker_ms", LAMBDA, "Duration", "Sum", period, worker),
        _query("worker_calls", LAMBDA, "Invocations", "Sum", period, worker),
    ]


def over_all(stage: str, event: str, period: int) -> list[Query]:
    """Percentiles over the whole window: one bucket, since percentiles cannot be added up."""
    of_stage, edge = {"Stage": stage}, _edge_of(stage)
    return [
        *_waits("whole_accept", "AcceptLatency", period, of_stage),
        *_waits("whole_refuse", "RefuseLatency", period, of_stage),
        *_waits("whole_decide", "DecideLatency", period, {**of_stage, "EventId": event}),
        *(_query(f"whole_edge_{stat}", EDGE, "Latency", stat, period, edge) for stat in PERCENTILES),
    ]


def _edge_of(stage: str) -> dict[str, str]:
    """The dimensions of the stage's REST API, which is named after it."""
    return {"ApiName": f"onsale-{stage}"}


def refused(code: str) -> str:
    """The id of the refusals with this problem code; ids have no dashes."""
    return f"refused_{code.replace('-', '_')}"


def _means(period: int, of_stage: Mapping[str, str]) -> list[Query]:
    """Sum and count of the handler's time, for an average over any stretch."""
    return [
        _ours(f"{name}_ms_{short}", metric, stat, period, **of_stage)
        for name, metric in (("accept", "AcceptLatency"), ("refuse", "RefuseLatency"))
        for short, stat in (("sum", "Sum"), ("count", "SampleCount"))
    ]


def _waits(name: str, metric: str, period: int, dimensions: Mapping[str, str]) -> list[Query]:
    return [_ours(f"{name}_{stat}", metric, stat, period, **dimensions) for stat in PERCENTILES]


def _ours(name: str, metric: str, stat: str, period: int, **dimensions: str) -> Query:
    return _query(name, OURS, metric, stat, period, dimensions)


def _query(  # noqa: PLR0913, PLR0917 - one for each part of a query
    name: str, namespace: str, metric: str, stat: str, period: int, dimensions: Mapping[str, str]
) -> Query:
    return {
        "id": name,
        "namespace": namespace,
        "metric": metric,
        "dimensions": dict(dimensions),
        "stat": stat,
        "periodSeconds": period,
    }
