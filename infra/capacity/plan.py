"""Holds what a sale needs against each limit: how tight it is, whether it binds, what to do. Pure.

It must not know where the answer goes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import ceil

import msgspec

from infra.capacity.advice import ADVICE, FEWER, REDESIGN, shards
from infra.capacity.demand import INTERFACE_CONNECTIONS, Assumptions, Demand, Sale, demand
from infra.capacity.limits import Catalogue, Kind, Limit
from infra.capacity.ours import ours

SHARDED = frozenset({"gate-slot", "gate-process"})
"""Limits of one slot: splitting the stock lifts them."""


class Verdict(StrEnum):
    """What a limit means for a sale."""

    FITS = "fits"
    RAISE = "raise the quota"
    SET = "set"
    BINDS = "binds: needs another design"


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One limit and what is needed of it. `ratio` is needed by allowed, None where there is no limit."""

    limit: Limit
    needed: float
    ratio: float | None
    verdict: Verdict
    advice: str


class Plan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole answer, tightest limit first. `most_attempts` is what every quota raised would carry."""

    sale: Sale
    assumed: Assumptions
    demand: Demand
    shards: int
    rows: tuple[Row, ...]
    most_attempts: int


NEEDS: dict[str, Callable[[Demand, Assumptions], float]] = {
    "lambda-requests": lambda need, _: need.requests,
    "lambda-concurrency": lambda need, _: ceil(need.concurrency + need.workers),
    "lambda-scaling": lambda need, _: need.environments,
    "lambda-interfaces": lambda need, _: ceil(2 * need.environments / INTERFACE_CONNECTIONS),
    "api-rate": lambda need, _: need.requests,
    "api-burst": lambda need, assumed: need.attempts * assumed.instant_share,
    "api-payload": lambda _need, assumed: assumed.order_bytes,
    "waf-rate": lambda need, _: need.requests,
    "gate-slot": lambda need, _: need.gate_ecpu,
    "gate-process": lambda need, _: need.gate_commands,
    "gate-cache": lambda need, _: need.gate_ecpu,
    "gate-prescale": lambda need, _: need.gate_ecpu,
    "gate-clients": lambda need, _: need.environments,
    "sqs-sends": lambda need, _: need.messages,
    "sqs-in-flight": lambda need, assumed: ceil(need.workers) * assumed.batch,
    "sqs-message": lambda _need, assumed: assumed.order_bytes,
    "mapping-start": lambda need, _: need.workers,
    "mapping-maximum": lambda need, _: need.workers,
    "ledger-orders": lambda need, _: need.orders,
    "ledger-connections": lambda need, _: need.connections,
    "ledger-capacity": lambda need, _: need.acu,
    "logs-calls": lambda need, assumed: need.environments * assumed.log_calls,
    "secrets-reads": lambda need, assumed: min(need.environments, 1_000) * assumed.secrets,
}
"""By the limit's id: how much of it the sale needs, in the limit's unit."""


def plan(
    sale: Sale,
    known: Catalogue,
    assumed: Assumptions | None = None,
    *,
    refusal_ms: float | None = None,
    accept_ms: float | None = None,
) -> Plan:
    """What `sale` needs of every limit in `known`.

    `refusal_ms` and `accept_ms` are the handler's wall time, where it was measured on AWS.
    """
    assumed = assumed or Assumptions()

    def rows_at(attempts: float) -> tuple[Demand, int, tuple[Row, ...]]:
        asked = msgspec.structs.replace(sale, attempts_per_second=attempts)
        need = demand(asked, known, assumed, refusal_ms, accept_ms)
        count = _shards(need, known, assumed)
        return (
            need,
            count,
            tuple(_row(limit, need, assumed, count) for limit in (*known.limits, *ours(need, known))),
        )

    need, count, rows = rows_at(sale.attempts_per_second)
    return Plan(
        sale=sale,
        assumed=assumed,
        demand=need,
        shards=count,
        rows=tuple(sorted(rows, key=lambda row: -(row.ratio or 0.0))),
        most_attempts=_most(lambda attempts: binding(rows_at(attempts)[2])),
    )


def binding(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Those that no quota, no setting and no split of the stock can lift."""
    return tuple(row for row in rows if row.verdict is Verdict.BINDS and row.limit.id not in SHARDED)


def verdict(limit: Limit, needed: float) -> Verdict:
    """What `limit` means for somebody who needs `needed` of it; exactly as much as there is fits."""
    if limit.value is None or needed <= limit.value:
        return Verdict.FITS
    if limit.kind is Kind.FIXED or (limit.ceiling is not None and needed > limit.ceiling):
        return Verdict.BINDS
    return Verdict.RAISE if limit.kind is Kind.QUOTA else Verdict.SET


def conclusion(made: Plan) -> str:
    """One line: which limit binds first, and what no quota can lift."""
    first = made.rows[0]
    ratio = first.ratio or 0.0
    if first.verdict is Verdict.FITS:
        return f"No limit binds: the tightest is {_named(first.limit)}, at {ratio:.0%} of what there is."
    said = (
        f"The first limit to bind is {_named(first.limit)}: {first.needed:,.0f} needed, "
        f"{first.limit.value:,.0f} by default ({ratio:,.1f} times)."
    )
    hard = binding(made.rows)
    if hard:
        names = "; ".join(_named(row.limit) for row in hard)
        return (
            f"{said} No request lifts {names}: let {made.most_attempts:,} a second in through a waiting room."
        )
    if made.shards > 1:
        return f"{said} With the quotas raised, the gate needs {made.shards} shards."
    return f"{said} With that done, everything fits in one slot."


def _named(limit: Limit) -> str:
    return f"{limit.service}, {limit.name}"


def _row(limit: Limit, need: Demand, assumed: Assumptions, count: int) -> Row:
    needed = NEEDS[limit.id](need, assumed)
    found = verdict(limit, needed)
    return Row(
        limit=limit,
        needed=needed,
        ratio=None if limit.value is None else needed / limit.value,
        verdict=found,
        advice=_advice(limit, found, need, count),
    )


def _advice(limit: Limit, found: Verdict, need: Demand, count: int) -> str:
    if found is Verdict.FITS:
        return ""
    if found is Verdict.BINDS and limit.id not in SHARDED:
        return REDESIGN.get(limit.id, FEWER)
    return ADVICE[limit.id](need, count)


def _shards(need: Demand, known: Catalogue, assumed: Assumptions) -> int:
    slot = next(limit.value for limit in known.limits if limit.id == "gate-slot") or float("inf")
    return shards(need, assumed, slot, known.figure("gate-rate"))


def _most(binds: Callable[[float], tuple[Row, ...]]) -> int:
    """The most attempts a second, in thousands, for which nothing binds; at most 10 million."""
    low, high = 0, 10_000
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (low, middle - 1) if binds(middle * 1_000.0) else (middle, high)
    return low * 1_000
