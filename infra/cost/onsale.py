"""The whole answer about an on-sale: its bill, a ticket, a million refusals, what each choice saved. Pure.

It must not know where the answer goes.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from infra.capacity.demand import Assumptions
from infra.capacity.limits import Catalogue
from infra.cost.bill import Position, SaleBill, by_time, by_use, priced
from infra.cost.prices import Prices
from infra.cost.sale import Design, OnSale, Quantities, quantities
from infra.cost.saved import BUILT, CHOICES, Saving, saved
from infra.cost.standing import Standing, Stood, stood

MILLION = 1_000_000
ASSUMED, AROUND = Assumptions(), Standing()
LEFT_OUT = (
    "free tiers, taxes, discounts, tiers above the first, and the month around the sale",
    "reads that are not polls (event pages), payments, the console, TLS and HTTP framing",
    "starts of environments that were not kept warm, repeated requests, faults",
    "KMS, SNS, backups, traffic between zones, the three functions that run every minute",
)


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an on-sale costs, and all that was assumed for it."""

    sale: OnSale
    region: str
    prices_as_of: str
    unconfirmed: tuple[str, ...]
    """Names of the prices in the bill that nobody has found stated."""
    bill: SaleBill
    services: dict[str, float]
    a_ticket: float
    a_million_refusals: float
    """Of what is paid by use alone: what one million attempts more would add."""
    saved: tuple[Saving, ...]
    quantities: Quantities
    standing: Stood
    around: Standing
    assumed: Assumptions
    left_out: tuple[str, ...] = LEFT_OUT


def reckon(
    sale: OnSale,
    known: Catalogue,
    prices: Prices,
    assumed: Assumptions = ASSUMED,
    around: Standing = AROUND,
) -> Answer:
    """The answer for `sale`. Raises KeyError when a price is not in the list, StopIteration for a figure."""
    used = quantities(sale, BUILT, known, assumed)
    whole = priced(positions(sale, BUILT, known, assumed, around), prices)
    return Answer(
        sale=sale,
        region=prices.region,
        prices_as_of=min(price.as_of for price in prices.prices),
        unconfirmed=_unconfirmed(whole, prices),
        bill=whole,
        services=whole.services(),
        a_ticket=whole.total / sale.tickets,
        a_million_refusals=refusals(used, prices, around).total,
        saved=saved(lambda built: priced(positions(sale, built, known, assumed, around), prices).total),
        quantities=used,
        standing=stood(sale, BUILT, around, used.need),
        around=around,
        assumed=assumed,
    )


def positions(
    sale: OnSale, built: Design, known: Catalogue, assumed: Assumptions, around: Standing
) -> list[Position]:
    """All that is to be paid for `sale`, when it is `built` so."""
    used = quantities(sale, built, known, assumed)
    there = stood(sale, built, around, used.need)
    return [*by_use(used, built, around.memory_gb), *by_time(used, there, built, around)]


def refusals(used: Quantities, prices: Prices, around: Standing) -> SaleBill:
    """The bill of a million refusals and nothing else."""
    alone = replace(
        used, orders=0, refusals=MILLION, polls=0.0, batches=0, sqs_requests=0.0, metric_calls=0.0
    )
    gate = ("ElastiCache", "ECPU", "elasticache-ecpu", MILLION * used.need.attempt_ecpu)
    return priced([*by_use(alone, BUILT, around.memory_gb), gate], prices)


def named_prices(sale: OnSale, known: Catalogue) -> set[str]:
    """Every price that the bill of `sale`, or that of an alternative, asks for."""
    designs = (BUILT, *(choice.design() for choice in CHOICES))
    return {name for built in designs for _, _, name, _ in positions(sale, built, known, ASSUMED, AROUND)}


def _unconfirmed(whole: SaleBill, prices: Prices) -> tuple[str, ...]:
    used = {each.position.price for each in whole.lines}
    return tuple(price.name for price in prices.prices if price.name in used and not price.confirmed)
