"""A benchmark's result with made-up figures."""

from __future__ import annotations

from infra.bench.bench import BenchPlan, BenchResult
from infra.bench.cpu import ELSEWHERE, PARTS
from infra.bench.figures import EndToEnd, Figures, Handler, HandlerCpu, LedgerRate, SoldOut, targets
from infra.bench.machine import Machine
from infra.rush.measures import Latency

WAITS = Latency(1_000, 4.5, 9.5, 12.5, 40.0)
MICROS = dict.fromkeys((*PARTS, ELSEWHERE, "crowd"), 10.0)


def figures(transactions: int = 2, messages: int = 0, answers: int = 40_000) -> Figures:
    """Figures that meet every target unless `transactions` or `messages` are many."""
    return Figures(
        sold_out=SoldOut(
            raw_evalsha_per_second=20_000.0,
            answers_per_second=8_000.0,
            answer_ms=WAITS,
            answers=answers,
            transactions=transactions,
            messages=messages,
            cpu_micros=MICROS,
        ),
        end_to_end=EndToEnd(
            orders=20_000,
            raw_sends_per_second=12_000.0,
            accepted_per_second=2_400.0,
            confirmed_per_second=2_200.0,
            accept_ms=WAITS,
            decide_ms=WAITS,
            decided_soon_share=0.99,
            cpu_micros=MICROS,
        ),
        ledger=tuple(
            LedgerRate(batch=batch, raw_insert_per_second=60_000.0, fulfilled_per_second=30_000.0)
            for batch in (10, 100, 1_000)
        ),
        handler=Handler(
            accepted=HandlerCpu(whole=250.0, dispatch=12.0, gate=90.0, queue=85.0),
            refused=HandlerCpu(whole=90.0, dispatch=12.0, gate=50.0, queue=0.0),
        ),
        second_start_seconds=1.5,
    )


def result(measured: Figures) -> BenchResult:
    """The whole result around `measured`."""
    described = Machine(
        cores=2,
        cpu="A CPU",
        system="Linux 6",
        python="3.11.7",
        versions={"chalice": "1"},
        stack={"workers": 2},
    )
    return BenchResult(
        plan=BenchPlan(), machine=described, figures=measured, targets=tuple(targets(measured))
    )
