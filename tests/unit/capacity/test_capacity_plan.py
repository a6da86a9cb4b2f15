"""What a sale needs of each limit, worked out by hand, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from infra.capacity.demand import Assumptions, Demand, Sale, demand
from infra.capacity.limits import Catalogue, Confirmed, Figure, Kind, Limit, catalogue
from infra.capacity.plan import NEEDS, Plan, Row, Verdict, binding, conclusion, plan, verdict

ROUND = {
    "refusal-cpu": 100.0,
    "accept-cpu": 200.0,
    "gate-rate": 20_000.0,
    "get-cpu": 10.0,
    "refused-cpu": 20.0,
    "admitted-cpu": 30.0,
    "ledger-100": 10_000.0,
    "ledger-1000": 50_000.0,
    "order-cpu": 50.0,
}


def known(*, without: str = "") -> Catalogue:
    """The real limits, with figures that can be divided in one's head."""
    figures = tuple(Figure(id=i, name=i, value=v, unit="", source="", note="") for i, v in ROUND.items())
    limits = tuple(limit for limit in catalogue().limits if limit.id != without)
    return Catalogue(limits=limits, measured=figures)


def needed(attempts: float = 1_000, tickets: int = 500, **assumed: float) -> Demand:
    sale = Sale(attempts_per_second=attempts, tickets=tickets, minutes=10)
    return demand(sale, known(), Assumptions(**assumed), 2.0, 10.0)  # type: ignore[arg-type]


def made(attempts: float, tickets: int = 100_000) -> Plan:
    return plan(Sale(attempts_per_second=attempts, tickets=tickets, minutes=10), catalogue())


def row(of: Plan, limit_id: str) -> Row:
    return next(found for found in of.rows if found.limit.id == limit_id)


def test_the_worst_second_of_a_small_sale_is_what_a_hand_works_out() -> None:
    need = needed()
    assert need.accepts == 500
    assert need.seconds_to_sell == 0.5
    assert need.pending == 500  # all of them: nobody is decided in the first second
    assert need.requests == 1_500  # 1,000 attempts, 500 polls
    assert need.concurrency == pytest.approx(7.0)  # 500 x 10 ms + 500 x 2 ms + 500 polls x 2 ms
    assert need.environments == 150  # ten requests a second of each, which is more than seven
    assert need.orders == pytest.approx(500 / 30.5)  # in half a second of selling and 30 of deciding
    assert need.batches == pytest.approx(500 / 30.5 / 100)
    assert need.workers == pytest.approx(500 / 30.5 / 100 * 0.020)  # 10 ms of work and 10 of waiting
    assert need.ledger_orders == pytest.approx(5_000)  # a hundred in these 20 ms
    assert need.gate_ecpu == pytest.approx(500 * 3 + 500 * 2 + 500 * 1.2 + 500 / 30.5 / 100 * 10)
    assert need.messages == 500
    assert need.all_attempts == 600_000


def test_only_orders_that_find_a_ticket_are_messages() -> None:
    assert needed(attempts=1_000, tickets=500).messages == 500
    assert needed(attempts=1_000, tickets=10**6).messages == 1_000


def test_a_slow_handler_needs_more_environments_than_the_ten_requests_rule() -> None:
    sale = Sale(attempts_per_second=1_000, tickets=500, minutes=10)
    slow = demand(sale, known(), Assumptions(), 200.0, 1_000.0)
    assert slow.environments == slow.concurrency == 700  # 500 x 1 s + 1,000 x 0.2 s


def test_the_handlers_time_is_its_cpu_on_a_part_of_a_core_and_its_waits() -> None:
    sale = Sale(attempts_per_second=1_000, tickets=500, minutes=10)
    need = demand(sale, known(), Assumptions(vcpu=0.5), None, None)
    assert need.refusal_ms == pytest.approx(0.1 / 0.5 + 1 + 1)
    assert need.accept_ms == pytest.approx(0.2 / 0.5 + 1 + 1 + 10)


def a_limit(kind: Kind, value: float | None, ceiling: float | None) -> Limit:
    return Limit(
        id="x",
        service="X",
        name="x",
        value=value,
        unit="",
        kind=kind,
        adjustable=kind is not Kind.FIXED,
        ceiling=ceiling,
        source="",
        confirmed=Confirmed.DOCS,
        as_of="2026-11-22",
        note="",
    )


@pytest.mark.parametrize(
    ("kind", "value", "ceiling", "needs", "expected"),
    [
        (Kind.QUOTA, 100, None, 100, Verdict.FITS),
        (Kind.QUOTA, 100, None, 100.5, Verdict.RAISE),
        (Kind.QUOTA, 100, 1_000, 1_000, Verdict.RAISE),
        (Kind.QUOTA, 100, 1_000, 1_001, Verdict.BINDS),
        (Kind.SETTING, 100, 1_000, 999, Verdict.SET),
        (Kind.SETTING, 100, 1_000, 1_001, Verdict.BINDS),
        (Kind.FIXED, 100, None, 100, Verdict.FITS),
        (Kind.FIXED, 100, None, 101, Verdict.BINDS),
        (Kind.FIXED, None, None, 10**9, Verdict.FITS),
    ],
)
def test_a_verdict_says_who_can_lift_a_limit(
    kind: Kind, value: float | None, ceiling: float | None, needs: float, expected: Verdict
) -> None:
    assert verdict(a_limit(kind, value, ceiling), needs) is expected


def test_every_limit_says_where_it_is_from_and_is_asked_for() -> None:
    limits = catalogue().limits
    assert len({limit.id for limit in limits}) == len(limits)
    for limit in limits:
        assert limit.source.startswith("https://"), limit.id
        assert limit.adjustable == (limit.kind is not Kind.FIXED), limit.id
        assert limit.confirmed is not Confirmed.MEASURED, limit.id
        assert limit.as_of == "2026-11-22", limit.id
    assert {*(limit.id for limit in limits), "gate-process", "ledger-orders"} == set(NEEDS)


def test_an_entry_without_its_source_is_refused() -> None:
    entry = msgspec.to_builtins(catalogue().limits[0])
    del entry["source"]
    with pytest.raises(msgspec.ValidationError, match="source"):
        msgspec.convert(entry, Limit)


def test_the_tightest_limit_is_first_and_named() -> None:
    plan_ = made(100_000)
    ratios = [found.ratio or 0.0 for found in plan_.rows]
    assert ratios == sorted(ratios, reverse=True)
    assert "Lambda, synchronous requests" in conclusion(plan_)


def test_a_quiet_sale_meets_no_limit() -> None:
    quiet = made(1_000, tickets=500)
    assert {found.verdict for found in quiet.rows} == {Verdict.FITS}
    assert conclusion(quiet).startswith("No limit binds")
    assert quiet.shards == 1


def test_whatever_does_not_fit_says_what_to_do_and_what_fits_says_nothing() -> None:
    for attempts in (20_000, 100_000, 1_000_000, 10_000_000):
        for found in made(attempts, tickets=1_000_000).rows:
            assert bool(found.advice) == (found.verdict is not Verdict.FITS), found.limit.id


def test_a_million_attempts_need_another_design_and_the_most_that_does_not_is_named() -> None:
    million = made(1_000_000)
    assert {found.limit.id for found in binding(million.rows)} >= {"lambda-requests", "gate-clients"}
    assert f"{million.most_attempts:,} a second" in conclusion(million)
    assert not binding(made(million.most_attempts).rows)
    assert binding(made(million.most_attempts + 1_000).rows)


def test_control_without_the_ten_requests_rule_lambda_would_seem_to_do() -> None:
    assert row(made(1_000_000), "lambda-requests").verdict is Verdict.BINDS
    sale = Sale(attempts_per_second=1_000_000, tickets=100_000, minutes=10)
    naive = plan(sale, known(without="lambda-requests"))
    assert row(naive, "lambda-concurrency").verdict is Verdict.RAISE


def test_shards_are_as_many_as_keep_each_slot_below_its_share() -> None:
    plan_ = made(1_000_000)
    per_slot = plan_.demand.gate_ecpu / plan_.shards
    assert per_slot <= 0.7 * 30_000 < plan_.demand.gate_ecpu / (plan_.shards - 1)
    assert row(plan_, "gate-slot").advice == f"Split the stock over {plan_.shards:,} shards (decision 20)."


def test_the_same_question_has_the_same_answer() -> None:
    assert msgspec.json.encode(made(123_456)) == msgspec.json.encode(made(123_456))
