"""An on-sale in quantities: requests, milliseconds, batches, ECPU, for a design that can be varied. Pure.

The worst second and the time of a handler are `infra.capacity`'s. It must not know any price.
"""

from __future__ import annotations

from math import ceil

import msgspec

from infra.capacity.demand import Assumptions, Demand, demand
from infra.capacity.demand import Sale as Crowd
from infra.capacity.limits import Catalogue
from infra.cost.measured import BOTO3_SEND_MICROS, CALL_MILLIS, SEND_MICROS


class Impossible(Exception):
    """No such sale can take place; the message says why."""


class OnSale(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everybody orders one ticket, at an even rate, for `minutes`; who comes too late is refused."""

    tickets: int
    attempts: int
    minutes: float
    polls_per_order: float | None = None
    """How often a buyer asks for the decision; None: as often as `infra.capacity` lets them wait."""

    def __post_init__(self) -> None:
        """Raises Impossible."""
        if self.tickets > self.attempts:
            raise Impossible(
                f"{self.tickets:,} tickets cannot be sold in {self.attempts:,} attempts: each buys one."
            )


class Design(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What could have been built otherwise. The defaults are what was built."""

    batch: int = 100
    """Orders that the queue function gets at once."""
    sends_a_call: float = 1.0
    """Orders in one call of SQS. A Lambda environment serves one request, so it never has a second one."""
    queue_refusals: bool = False
    """Whether everybody is queued, and refused by the ledger."""
    metric_calls: bool = False
    """Whether metrics are calls of PutMetricData, not log lines."""
    boto3: bool = False
    every_metric_by_event: bool = False
    architecture: str = "arm64"
    rest_api: bool = True
    endpoints: bool = True
    """Whether private subnets reach SQS and the secrets by endpoints, not by the NAT gateways."""
    prewarmed: bool = True
    """Whether the door's environments are kept warm for the sale."""


class Quantities(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a sale uses up. Times are those that Lambda bills, in ms of one invocation."""

    orders: int
    """Queued and decided."""
    refusals: int
    """At the door."""
    polls: float
    batches: int
    order_ms: float
    refusal_ms: float
    poll_ms: float
    batch_ms: float
    sqs_requests: float
    """Sends, receives and deletes."""
    metric_calls: float
    ecpu: float
    need: Demand
    """The worst second, for what has to be there beforehand."""

    @property
    def requests(self) -> float:
        """At the edge, and in the door's function."""
        return self.orders + self.refusals + self.polls


SQS_BATCH = 10
"""Messages that Lambda receives and deletes in one request, at most."""
HALF_A_MILLISECOND = 0.5
"""What rounding up to whole ms adds to an invocation, on average."""


def quantities(sale: OnSale, built: Design, known: Catalogue, assumed: Assumptions) -> Quantities:
    """What `sale` uses up when it is `built` so. Crowd, polls and peak stay ours."""
    need = demand(_crowd(sale), known, assumed, None, None)
    orders = sale.attempts if built.queue_refusals else sale.tickets
    refusals, batches = sale.attempts - orders, ceil(orders / built.batch)
    polls_each = _polls(need, assumed) if sale.polls_per_order is None else sale.polls_per_order
    polls = orders * polls_each
    overhead = HALF_A_MILLISECOND + (CALL_MILLIS if built.metric_calls else 0.0)
    return Quantities(
        orders=orders,
        refusals=refusals,
        polls=polls,
        batches=batches,
        order_ms=need.accept_ms + _boto3_ms(built, assumed) + overhead,
        refusal_ms=need.refusal_ms + overhead,
        poll_ms=need.refusal_ms + assumed.read_ms / max(polls_each, 1) + HALF_A_MILLISECOND,
        batch_ms=_batch_ms(built.batch, known, assumed) + overhead,
        sqs_requests=orders / built.sends_a_call + 2 * orders / min(built.batch, SQS_BATCH),
        metric_calls=float(sale.attempts + batches) if built.metric_calls else 0.0,
        ecpu=_ecpu((orders, refusals, polls, batches), need, known, assumed),
        need=need,
    )


def _crowd(sale: OnSale) -> Crowd:
    return Crowd(
        attempts_per_second=max(1.0, sale.attempts / sale.minutes / 60),
        tickets=sale.tickets,
        minutes=sale.minutes,
    )


def _polls(need: Demand, assumed: Assumptions) -> float:
    """One poll at least, and one more for each interval of the mean wait: half of the longest."""
    return 1 + need.pending / need.ledger_orders / 2 / assumed.poll_seconds


def _batch_ms(batch: int, known: Catalogue, assumed: Assumptions) -> float:
    """Straight through the two batches that were measured, of 10 and of 100, and waiting for Aurora."""
    ten, hundred = 10_000 / known.figure("ledger-10"), 100_000 / known.figure("ledger-100")
    return ten + (hundred - ten) * (batch - 10) / 90 + assumed.batch_wait_ms


def _boto3_ms(built: Design, assumed: Assumptions) -> float:
    """What boto3's CPU adds to a send."""
    return (BOTO3_SEND_MICROS - SEND_MICROS) / 1_000 / assumed.vcpu if built.boto3 else 0.0


def _ecpu(
    made: tuple[float, float, float, float], need: Demand, known: Catalogue, assumed: Assumptions
) -> float:
    """Of `made`: orders, refusals, polls and batches; as `infra.capacity` takes them for a second."""
    orders, refusals, polls, batches = made
    admitted = assumed.attempt_ecpu or known.figure("admitted-cpu") / known.figure("get-cpu")
    return (
        orders * admitted
        + refusals * need.attempt_ecpu
        + polls * assumed.poll_ecpu
        + batches * assumed.settle_ecpu
    )
