"""The report as a reader at a terminal gets it: a result in, lines of text out. Pure; it computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.rush.curve import draw
from infra.rush.measures import Latency
from infra.rush.result import RushResult
from infra.rush.verdict import Audit

RULE = "─" * 78


def report(result: RushResult, beside: Sequence[str] = ()) -> list[str]:
    """The lines, without colours and not wider than 78 columns unless a figure or an id is.

    `beside` are lines on what went on beside the rush; they come before the audit.
    """
    plan = result.plan
    crowd = f"{plan.buyers:,} buyers of {plan.quantity} over {plan.concurrency} connections"
    return [
        f"Rush on event {result.event_id} at {plan.url}",
        f"{plan.tickets:,} tickets, {crowd}",
        RULE,
        *_counts(result),
        "",
        *_latencies(result),
        "",
        *_rates(result),
        *_curve(result),
        *([f"history      {result.history}"] if result.history else []),
        *([RULE, *beside] if beside else []),
        RULE,
        *audit_lines(result.audit),
    ]


def _counts(result: RushResult) -> list[str]:
    unheard = f"{result.unknown:,} unknown"
    if result.unsent:
        unheard += f", {result.unsent:,} not sent"
    undecided = f", {result.undecided:,} undecided" if result.undecided else ""
    return [
        f"{'accepted':<12}{result.accepted:>10,}   {unheard}",
        f"{'refused':<12}{result.refused_total:>10,}{_by_name(result.refused)}",
        f"{'confirmed':<12}{result.confirmed:>10,}   {result.confirmed_tickets:,} tickets{undecided}",
        f"{'rejected':<12}{result.rejected_total:>10,}{_by_name(result.rejected)}",
    ]


def _by_name(counts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"   {named}" if named else ""


def _latencies(result: RushResult) -> list[str]:
    rows = {
        "accept": result.accept_ms,
        "refuse": result.refuse_ms,
        "accept → decided": result.decide_ms,
        "the same, as buyers saw it": result.observed_decide_ms,
    }
    head = f"{'ms':<28}" + "".join(f"{name:>10}" for name in ("p50", "p95", "p99", "max", "of"))
    return [head, *(_latency(name, row) for name, row in rows.items() if row is not None)]


def _latency(name: str, row: Latency) -> str:
    waits = "".join(f"{value:>10,.1f}" for value in (row.p50, row.p95, row.p99, row.max))
    return f"{name:<28}{waits}{row.count:>10,}"


def _rates(result: RushResult) -> list[str]:
    share = result.decided_soon_share
    soon = "" if share is None else f", {share:.1%} of them within 1 s of their 202"
    answers = f"{result.answers_per_second:,.0f} answers/s in all"
    return [
        f"{result.accepted_per_second:>10,.0f} orders/s accepted, {answers}",
        f"{result.decided_per_second:>10,.0f} orders/s decided, end to end{soon}",
        f"{result.crowd_cpu_micros:>10,.0f} µs CPU a request used by the crowd itself, "
        f"{result.crowd_seconds:.2f} s in all",
    ]


def _curve(result: RushResult) -> list[str]:
    picture = draw(result.curve)
    return ["", f"confirmed in each {result.curve.slice_ms} ms", *picture] if picture else []


def audit_lines(verdict: Audit) -> list[str]:
    """A verdict, a line a promise."""
    checks = [f"{'✓' if check.passed else '✗'} {check.promise}: {check.detail}" for check in verdict.checks]
    notes = [f"  note: {note}" for note in verdict.notes]
    return [*checks, *notes, "audit passed" if verdict.passed else "audit FAILED"]
