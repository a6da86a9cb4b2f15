"""From tally and facts to figures, JSON and terminal text."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from infra.rush.crowd import Tally
from infra.rush.facts import AvailabilitySeen, EventSeen, Facts, ItemSeen, OrderSeen
from infra.rush.follow import Sighting
from infra.rush.plan import RushPlan
from infra.rush.report import report
from infra.rush.result import RushResult, conclude
from infra.rush.verdict import Audit, Check

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
VERDICT = Audit(passed=False, checks=(Check("a promise", passed=False, detail="1 of 2"),), notes=("a note",))


def an_order(number: int, status: str, accepted_ms: int, decided_ms: int) -> OrderSeen:
    return OrderSeen(
        id=f"o{number}",
        user_id=f"u{number}",
        status=status,
        reason="sold-out" if status == "rejected" else None,
        items=(ItemSeen(11, 2),),
        accepted_at=START + accepted_ms * MILLISECOND,
        decided_at=START + decided_ms * MILLISECOND,
    )


@pytest.fixture
def result() -> RushResult:
    """Four buyers: one confirmed at once, one late, one rejected, one refused; a fifth was cut off."""
    orders = (
        an_order(0, "confirmed", 0, 100),
        an_order(1, "confirmed", 100, 2_000),
        an_order(2, "rejected", 200, 500),
    )
    tally = Tally(
        accepted=["o0", "o1", "o2"],
        accept_ns=[1_000_000, 2_000_000, 3_000_000],
        refused=Counter({"sold-out": 1}),
        refuse_ns=[500_000],
        unknown=1,
        requests=5,
        started_ns=0,
        last_accept_ns=1_500_000_000,
        finished_ns=2_000_000_000,
        cpu_seconds=0.0001,
    )
    facts = Facts(
        capacity=4,
        buyers=6,
        quantity=2,
        accepted=tuple(tally.accepted),
        refused=tally.refused,
        uncertain=0,
        unknown=1,
        sighted={},
        listed=orders,
        availability=AvailabilitySeen(sold_out=True, ticket_types=()),
        event=EventSeen(7, 4, 0),
        ledger=None,
    )
    sightings = [Sighting("o0", "confirmed", 1_001_000_000)]
    return conclude(RushPlan(tickets=4, buyers=6, quantity=2), tally, sightings, facts, VERDICT)


def test_orders_are_counted_by_what_became_of_them(result: RushResult) -> None:
    assert (result.accepted, result.refused, result.unknown, result.unsent) == (3, {"sold-out": 1}, 1, 1)
    assert (result.confirmed, result.confirmed_tickets, result.undecided) == (2, 4, 0)
    assert result.rejected == {"sold-out": 1}


def test_waits_come_from_the_crowds_clock_and_from_the_services_stamps(result: RushResult) -> None:
    assert result.accept_ms is not None
    assert result.decide_ms is not None
    assert result.observed_decide_ms is not None
    assert (result.accept_ms.p50, result.accept_ms.max) == (2.0, 3.0)
    assert (result.decide_ms.p50, result.decide_ms.max) == (300.0, 1_900.0)
    assert result.observed_decide_ms.p50 == 1_001.0
    assert result.decided_soon_share == 0.6667


def test_rates_have_each_their_own_time(result: RushResult) -> None:
    assert result.accepted_per_second == 2.0
    assert result.decided_per_second == 1.5
    assert result.answers_per_second == 2.0
    assert result.crowd_cpu_micros == 20.0


def test_the_sell_curve_counts_from_the_first_accept(result: RushResult) -> None:
    assert result.curve.slice_ms == 50
    assert sum(result.curve.confirmed) == 2
    assert (result.curve.confirmed[2], result.curve.confirmed[-1]) == (1, 1)


def test_json_has_every_figure_in_camel_case(result: RushResult) -> None:
    document = msgspec.json.decode(msgspec.json.encode(result))
    assert document["refusedTotal"] == 1
    assert document["decideMs"]["p99"] == 1_900.0
    assert document["curve"]["sliceMs"] == 50
    assert document["plan"]["sampleEvery"] == 50
    assert document["audit"]["checks"] == [{"promise": "a promise", "passed": False, "detail": "1 of 2"}]
    assert not [name for name in document if "_" in name]


def test_the_report_shows_counts_checks_and_the_verdict(result: RushResult) -> None:
    text = "\n".join(report(result))
    assert "accepted             3   1 unknown, 1 not sent" in text
    assert "refused              1   sold-out 1" in text
    assert "20 µs CPU a request used by the crowd itself" in text
    assert "✗ a promise: 1 of 2" in text
    assert text.endswith("note: a note\naudit FAILED")


def test_a_rush_that_sold_nothing_has_a_report_too(result: RushResult) -> None:
    nothing = conclude(
        RushPlan(buyers=0),
        Tally(),
        [],
        Facts(
            capacity=4,
            buyers=0,
            quantity=1,
            accepted=(),
            refused={},
            uncertain=0,
            unknown=0,
            sighted={},
            listed=(),
            availability=AvailabilitySeen(sold_out=False, ticket_types=()),
            event=EventSeen(7, 4, 4),
            ledger=None,
        ),
        VERDICT,
    )
    assert nothing.accept_ms is None
    assert nothing.curve.confirmed == ()
    assert "confirmed in each" not in "\n".join(report(nothing))
