"""The bill of an on-sale: quantities times prices, by service. Pure.

A position names its price and never holds one; it must not know how a quantity came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from infra.cost.cost import GB_BYTES, CostLine, line
from infra.cost.measured import (
    LAMBDA_LINE_BYTES,
    ORDER_ANSWER_BYTES,
    ORDER_LOG_BYTES,
    PLAIN_LINE_BYTES,
    REFUSAL_ANSWER_BYTES,
    REFUSAL_LOG_BYTES,
)
from infra.cost.prices import Prices
from infra.cost.sale import Design, Quantities
from infra.cost.standing import Standing, Stood

UNUSED: dict[str, str] = {}
"""Prices that stand in the list and that no position and no comparison uses, each with the reason."""
POLLERS_HOURLY = 5 * 3 * 60
"""Receives that find nothing: five pollers that wait for 20 s each."""

Position = tuple[str, str, str, float]
"""Service, what, the price's name, how much."""


class ServiceLine(msgspec.Struct, frozen=True, rename="camel"):
    """One position of a service's bill; `price` buys `per` units."""

    service: str
    position: CostLine
    price: float
    per: int


class SaleBill(msgspec.Struct, frozen=True, rename="camel"):
    """All positions in the order of the way that a request takes, and their sum."""

    currency: str
    lines: tuple[ServiceLine, ...]
    total: float

    def services(self) -> dict[str, float]:
        """The sum of each service."""
        found: dict[str, float] = {}
        for each in self.lines:
            found[each.service] = found.get(each.service, 0.0) + each.position.cost
        return found


def priced(positions: Iterable[Position], prices: Prices) -> SaleBill:
    """The bill; positions of nothing are left out. Raises KeyError when a price is not in the list."""
    lines = tuple(_priced(position, prices) for position in positions if position[-1] > 0)
    return SaleBill(prices.currency, lines, sum(each.position.cost for each in lines))


def _priced(position: Position, prices: Prices) -> ServiceLine:
    service, what, name, amount = position
    found = prices.named(name)
    return ServiceLine(service, line(prices, what, name, amount), found.price, found.per)


def by_use(used: Quantities, built: Design, memory_gb: float) -> Iterator[Position]:
    """What is paid by the request, the millisecond and the byte."""
    edge = "rest" if built.rest_api else "http"
    time = f"lambda-{built.architecture}-gb-second"
    warm = f"lambda-{built.architecture}-provisioned-duration-gb-second" if built.prewarmed else time
    yield "API Gateway", "requests: orders, refusals, polls", f"api-gateway-{edge}-request", used.requests
    if built.rest_api:
        yield "WAF", "requests looked at", "waf-request", used.requests
    yield "Lambda", "calls of the door", "lambda-request", used.requests
    yield "Lambda", "time in the door", warm, _door_ms(used) / 1_000 * memory_gb
    yield "Lambda", "calls of fulfilment", "lambda-request", used.batches
    yield "Lambda", "time in fulfilment", time, used.batches * used.batch_ms / 1_000 * memory_gb
    yield "SQS", "sends, receives, deletes", "sqs-standard-request", used.sqs_requests
    yield "SQS", "fairness between events", "sqs-fair-queue-request", used.orders
    yield "CloudWatch", "log, metrics in it", "cloudwatch-logs-ingested-gb", _log_bytes(used) / GB_BYTES
    yield "CloudWatch", "PutMetricData", "cloudwatch-metrics-request", used.metric_calls
    yield "Data transfer", "answers to the buyers", "data-transfer-out-gb", _answer_bytes(used) / GB_BYTES


def by_time(used: Quantities, there: Stood, built: Design, around: Standing) -> Iterator[Position]:
    """What is paid because it stands there, and what the stores take for their work."""
    warm = there.environments * around.memory_gb * there.warm_seconds
    yield "Lambda", "environments kept warm", f"lambda-{built.architecture}-provisioned-gb-second", warm
    yield "SQS", "receives that find nothing", "sqs-standard-request", POLLERS_HOURLY * there.hours
    yield "ElastiCache", "ECPU, the minimum if that is more", "elasticache-ecpu", _ecpu(used, there)
    yield "ElastiCache", "data", "elasticache-gb-hour", around.gate_gb * there.hours
    yield "Aurora", "capacity", "aurora-acu-hour", there.acu * there.hours
    yield "Aurora", "reads and writes of storage", "aurora-io-request", used.orders * around.ios_an_order
    yield "Aurora", "storage for a month", "aurora-storage-gb-month", around.ledger_gb
    yield "RDS Proxy", "capacity", "rds-proxy-acu-hour", max(around.proxy_acu, there.acu) * there.hours
    yield from _ways_out(used, there, built, around)
    yield from _watched(there, around)
    yield "WAF", "web ACL", "waf-acl-month", there.months if built.rest_api else 0.0
    yield "WAF", "rules", "waf-rule-month", around.waf_rules * there.months if built.rest_api else 0.0
    yield "Secrets Manager", "secrets", "secrets-manager-secret-month", around.secrets * there.months
    reads = float(around.secrets * used.need.environments)
    yield "Secrets Manager", "reads, when an environment starts", "secrets-manager-request", reads


def _ways_out(used: Quantities, there: Stood, built: Design, around: Standing) -> Iterator[Position]:
    """From the private subnets to AWS, and to the issuer's keys."""
    gigabytes = used.orders * ORDER_ANSWER_BYTES / GB_BYTES
    yield "VPC", "NAT gateways", "nat-gateway-hour", float(around.nat_gateways * there.whole_hours)
    if not built.endpoints:
        yield "VPC", "through them", "nat-gateway-gb", gigabytes
        return
    standing = around.endpoints * around.zones * there.whole_hours
    yield "VPC", "endpoints in each zone", "vpc-endpoint-hour", float(standing)
    yield "VPC", "through them", "vpc-endpoint-gb", gigabytes


def _watched(there: Stood, around: Standing) -> Iterator[Position]:
    """Metrics, alarms and the dashboard, for the hours of the sale."""
    yield "CloudWatch", "custom metrics", "cloudwatch-custom-metric-month", there.metrics * there.months
    for what, name, count in (
        ("alarms below a minute", "cloudwatch-fast-alarm-month", around.fast_alarms),
        ("alarms", "cloudwatch-alarm-month", around.alarms),
        ("alarm over alarms", "cloudwatch-composite-alarm-month", around.composite_alarms),
        ("dashboard", "cloudwatch-dashboard-month", around.dashboards),
    ):
        yield "CloudWatch", what, name, count * there.months


def _door_ms(used: Quantities) -> float:
    return used.orders * used.order_ms + used.refusals * used.refusal_ms + used.polls * used.poll_ms


def _log_bytes(used: Quantities) -> float:
    order, refusal = ORDER_LOG_BYTES, REFUSAL_LOG_BYTES
    if used.metric_calls:
        order = refusal = PLAIN_LINE_BYTES
    ours = used.orders * order + used.refusals * refusal
    return ours + (used.requests + used.batches) * LAMBDA_LINE_BYTES


def _answer_bytes(used: Quantities) -> float:
    """A poll's answer is as long as a 202: the same order, and its decision."""
    return (used.orders + used.polls) * ORDER_ANSWER_BYTES + used.refusals * REFUSAL_ANSWER_BYTES


def _ecpu(used: Quantities, there: Stood) -> float:
    return max(used.ecpu, there.least_ecpu)
