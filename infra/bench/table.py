"""The benchmark as a reader at a terminal gets it: figures in, one table out. It computes shares, no more."""

from __future__ import annotations

from rich.box import HORIZONTALS
from rich.table import Table

from infra.bench.bench import BenchResult
from infra.bench.cpu import ELSEWHERE, PARTS
from infra.bench.figures import HOT_BATCH, Figures, LedgerRate, Target
from infra.bench.machine import sentence
from infra.rush.measures import Latency

WIDTH = 100
SHOWN = (*PARTS, "crowd")
HANDLER_PARTS = {
    "Chalice's dispatch (GET /health)": "dispatch",
    "gate: one script": "gate",
    "queue: one signed send": "queue",
    "the rest: reading, answering, logging": "rest",
}


def table(result: BenchResult) -> Table:
    """The whole benchmark, in four sections that each name their own columns."""
    wanted = {target.figure: verdict(target) for target in result.targets}
    caption = sentence(result.machine)
    drawn = Table(box=HORIZONTALS, caption=caption, caption_justify="left", width=WIDTH)
    drawn.add_column("a second (limit: what it is held against)", no_wrap=True)
    for name in ("limit", "ours", "of limit"):
        drawn.add_column(name, justify="right")
    drawn.add_column("target", no_wrap=True)
    _rates(drawn, result.figures, wanted)
    _latencies(drawn, result.figures, wanted)
    _handler(drawn, result.figures, wanted)
    _processes(drawn, result.figures)
    return drawn


def verdict(target: Target) -> str:
    """✓ or ✗, the target, and by how much of it the figure is better (+) or worse (-)."""
    sign, sense = "✓" if target.met else "✗", "≥" if target.least else "≤"
    shown = f"{target.wanted:,.0f}" if target.wanted >= 1 else f"{target.wanted:.0%}"
    return f"{sign} {sense} {shown} ({target.margin:+.0%})"


def _rates(drawn: Table, figures: Figures, wanted: dict[str, str]) -> None:
    sold_out, run = figures.sold_out, figures.end_to_end
    evalsha, sends = sold_out.raw_evalsha_per_second, run.raw_sends_per_second
    answers = sold_out.answers_per_second
    _against(drawn, "sold-out answers (EVALSHA)", evalsha, answers, wanted["soldOutPerSecond"])
    touches = f"{sold_out.touches_per_thousand:.2f}"
    target = wanted["soldOutTouchesPerThousand"]
    drawn.add_row("  SQL + SQS touched in 1,000 of them", "", touches, "", target)
    _against(
        drawn, "orders accepted (SQS sends)", sends, run.accepted_per_second, wanted["acceptedPerSecond"]
    )
    confirmed = run.confirmed_per_second
    _against(drawn, "… and confirmed (SQS sends)", sends, confirmed, wanted["confirmedPerSecond"])
    for rate in figures.ledger:
        _ledger(drawn, rate, wanted if rate.batch == HOT_BATCH else {})


def _ledger(drawn: Table, rate: LedgerRate, wanted: dict[str, str]) -> None:
    name = f"fulfilled alone, batch {rate.batch:,} (bulk insert)"
    target = wanted.get("fulfilledPerSecond", "")
    _against(drawn, name, rate.raw_insert_per_second, rate.fulfilled_per_second, target)
    if wanted:
        drawn.add_row("  of the bulk insert", "", "", f"{rate.share:.0%}", wanted["fulfilledShare"])


def _against(drawn: Table, name: str, limit: float, ours: float, target: str) -> None:
    drawn.add_row(name, f"{limit:,.0f}", f"{ours:,.0f}", f"{ours / limit:.0%}", target)


def _latencies(drawn: Table, figures: Figures, wanted: dict[str, str]) -> None:
    _heading(drawn, "ms at that load", "p50", "p95", "p99", "")
    run = figures.end_to_end
    _latency(drawn, "accept", run.accept_ms, wanted["acceptP99Ms"])
    _latency(drawn, "accept → decided", run.decide_ms, "")
    _latency(drawn, "sold-out answer", figures.sold_out.answer_ms, "")
    drawn.add_row(
        "decided within 1 s of the 202", "", "", f"{run.decided_soon_share:.1%}", wanted["decidedSoonShare"]
    )
    drawn.add_row(
        "second start, s", "", "", f"{figures.second_start_seconds:.1f}", wanted["secondStartSeconds"]
    )


def _latency(drawn: Table, name: str, row: Latency, target: str) -> None:
    drawn.add_row(name, *(f"{value:,.1f}" for value in (row.p50, row.p95, row.p99)), target)


def _handler(drawn: Table, figures: Figures, wanted: dict[str, str]) -> None:
    _heading(drawn, "CPU µs in the handler, one thread", "accepted", "refused", "", "")
    accepted, refused = figures.handler.accepted, figures.handler.refused
    for name, part in HANDLER_PARTS.items():
        drawn.add_row(name, f"{getattr(accepted, part):,.0f}", f"{getattr(refused, part):,.0f}")
    drawn.add_row("ledger", "none", "none")
    drawn.add_row("POST /orders, accepted", f"{accepted.whole:,.0f}", "", "", wanted["acceptedMicros"])
    drawn.add_row("POST /orders, refused", "", f"{refused.whole:,.0f}", "", wanted["refusedMicros"])


def _processes(drawn: Table, figures: Figures) -> None:
    _heading(drawn, "CPU µs by process, under load", "an order", "a refusal", "", "")
    order, refusal = figures.end_to_end.cpu_micros, figures.sold_out.cpu_micros
    for part in SHOWN:
        drawn.add_row(part, f"{order[part]:,.0f}", f"{refusal[part]:,.0f}")
    totals = (sum(by[part] for part in SHOWN) for by in (order, refusal))
    drawn.add_row("all of these", *(f"{total:,.0f}" for total in totals))
    drawn.add_row(ELSEWHERE + " on the machine", f"{order[ELSEWHERE]:,.0f}", f"{refusal[ELSEWHERE]:,.0f}")


def _heading(drawn: Table, *names: str) -> None:
    drawn.add_section()
    drawn.add_row(*names, style="bold")
