"""The benchmark from beginning to end: which measurement follows which, on a stack of its own.

The order of things and nothing else. It must not print.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from infra.bench import load
from infra.bench.apart import apart
from infra.bench.figures import Figures, Handler, LedgerRate, Target, targets
from infra.bench.handler import handler_cpu
from infra.bench.ledger_apply import measure_pair
from infra.bench.machine import Machine, machine
from infra.bench.own_stack import OwnStack, own_stack

BATCHES = (10, 100, 1_000)
STAGES = 7
HANDLER_REQUESTS = 200
"""In each of its repetitions; two fifths of a second for the dearest."""

Announce = Callable[[str, int], None]


class BenchPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`seconds` is one repetition of a measurement, `times` how many there are; `orders` make up the rush."""

    seconds: float = 2.0
    times: int = 3
    orders: int = 20_000


class BenchResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The object that `--json` prints. Its names are stable."""

    plan: BenchPlan
    machine: Machine
    figures: Figures
    targets: tuple[Target, ...]


def run_bench(plan: BenchPlan, root: Path, announce: Announce = lambda _name, _done: None) -> BenchResult:
    """Measures everything on a stack whose data is below `root`; the stack is stopped in the end.

    `announce` hears the name of each stage and how many of STAGES are done. Raises BenchFault when a
    measurement is not what it says it is.
    """
    announce("starting", 0)
    with own_stack(root) as stack:
        described = machine(stack)
        sold_out_event = load.sold_out_event(stack)
        announce("handler", 1)
        handler = _handler(stack, sold_out_event)
        announce("sold out", 2)
        sold_out = load.measure_sold_out(stack, sold_out_event, plan.seconds, plan.times)
        announce("end to end", 3)
        end_to_end = load.measure_end_to_end(stack, plan.orders, plan.seconds, plan.times)
        announce("ledger", 4)
        ledger = tuple(_ledger(stack, batch, plan) for batch in BATCHES)
        announce("stopping", 5)
    announce("starting again", 6)
    with own_stack(root) as again:
        second_start_seconds = again.ready_seconds
    figures = Figures(
        sold_out=sold_out,
        end_to_end=end_to_end,
        ledger=ledger,
        handler=handler,
        second_start_seconds=second_start_seconds,
    )
    return BenchResult(plan=plan, machine=described, figures=figures, targets=tuple(targets(figures)))


def _handler(stack: OwnStack, sold_out_event: int) -> Handler:
    """On an event with tickets for all, then on one with none."""
    event_id = load.make_event(stack, 1_000_000)
    accepted = apart(handler_cpu, stack.environment, event_id, 202, HANDLER_REQUESTS)
    load.until_decided(stack, event_id)
    refused = apart(handler_cpu, stack.environment, sold_out_event, 409, HANDLER_REQUESTS)
    return Handler(accepted=accepted, refused=refused)


def _ledger(stack: OwnStack, batch: int, plan: BenchPlan) -> LedgerRate:
    raw, ours = apart(measure_pair, stack.dsn, batch, plan.seconds, plan.times)
    return LedgerRate(batch=batch, raw_insert_per_second=round(raw), fulfilled_per_second=round(ours))
