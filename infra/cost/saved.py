"""What each choice saved: the same sale priced as it would be without it. Pure.

It must not know how a bill is made up; it asks for one of each design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from infra.cost.sale import Design

BUILT = Design()
"""The design that is deployed."""


class Choice(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that could have been built otherwise, and how."""

    made: str
    instead: str
    otherwise: Mapping[str, object]
    note: str = ""

    def design(self) -> Design:
        """The design without this choice, and with all others."""
        return replace(BUILT, **self.otherwise)


class Saving(msgspec.Struct, frozen=True, rename="camel"):
    """`saved` is what the sale would cost more without the choice; below zero it costs something."""

    made: str
    instead: str
    saved: float
    note: str


CHOICES = (
    Choice(
        "a refusal ends at the gate",
        "every attempt queued, refused by the ledger",
        {"queue_refusals": True},
        "at the least: a larger database, and a queue of minutes, are not in it",
    ),
    Choice(
        "metrics as log lines (EMF)",
        "one PutMetricData a request",
        {"metric_calls": True},
        "5 ms a call, assumed",
    ),
    Choice(
        "SQS, secrets by endpoint",
        "by the NAT gateways",
        {"endpoints": False},
        "the price of orders that no NAT gateway can stop",
    ),
    Choice(
        "arm64",
        "x86, the same milliseconds",
        {"architecture": "x86"},
        "our milliseconds were measured on x86",
    ),
    Choice(
        "orders in batches of 100",
        "batches of 10",
        {"batch": 10},
    ),
    Choice(
        "orders in batches of 100",
        "one by one",
        {"batch": 1},
        "time extrapolated from batches of 10 and 100",
    ),
    Choice(
        "chosen metrics by EventId",
        "every metric by EventId",
        {"every_metric_by_event": True},
        "one event; grows with their number",
    ),
    Choice(
        "our own signed sender",
        "boto3",
        {"boto3": True},
        "it is for speed: 660 µs of CPU a send",
    ),
    Choice(
        "one send an order",
        "sends put together by ten",
        {"sends_a_call": 10.0},
        "what our coalescing would save; an environment has one request, so it cannot there",
    ),
    Choice(
        "environments kept warm",
        "on demand",
        {"prewarmed": False},
        "the price of no cold start in the first second",
    ),
    Choice(
        "REST API with WAF",
        "HTTP API, which has no WAF",
        {"rest_api": False},
        "the price of the WAF and of problem+json from the edge",
    ),
)


def saved(cost_of: Callable[[Design], float]) -> tuple[Saving, ...]:
    """Each choice by itself, in the order of CHOICES; they do not add up."""
    ours = cost_of(BUILT)
    return tuple(
        Saving(each.made, each.instead, cost_of(each.design()) - ours, each.note) for each in CHOICES
    )
