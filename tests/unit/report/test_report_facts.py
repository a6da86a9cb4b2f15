"""The report's figures, worked out from a made-up sale and from a sale that little is known of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from infra.cost.prices import list_prices
from infra.report.certificate import certificate
from infra.report.facts import conclude
from infra.report.figures import Asked, Facts
from infra.report.gather import gather
from infra.report.gathered import AlarmChange, ConservationShown, Gathered, Series
from infra.report.timeline import moments
from tests.support.sold_out import CAPACITY, NOW, OPENS, SoldOut


def gathered(*silent: str) -> Gathered:
    return gather(SoldOut(silent=silent), 7, NOW)


def facts(*silent: str) -> Facts:
    return conclude(gathered(*silent), list_prices())


def asked(found: Facts) -> Asked:
    assert found.asked is not None
    return found.asked


def at(second: float) -> object:
    return OPENS + timedelta(seconds=second)


def test_it_sold_out_in_the_ledgers_own_time() -> None:
    found = facts()
    assert found.sold is not None
    assert (found.sold.sold, found.capacity) == (CAPACITY, CAPACITY)
    assert found.sold.seconds_to_sell_out == 20.428


def test_the_peak_is_the_busiest_slice_with_everybody_in_it() -> None:
    found = asked(facts()).peak
    assert found is not None
    assert (found.per_second, found.at, found.seconds) == (940.0, OPENS, 1)


def test_a_peak_counted_in_minutes_is_an_average_and_says_so() -> None:
    coarse = replace(
        gathered(), period_seconds=60, series={"accepted": Series((OPENS.timestamp(),), (600.0,))}
    )
    found = asked(conclude(coarse, list_prices())).peak
    assert found is not None
    assert (found.per_second, found.seconds) == (10.0, 60)


def test_refusals_are_told_by_code_and_add_up() -> None:
    found = asked(facts())
    assert [one.code for one in found.by_code] == ["rate-limited", "sold-out", "sale-paused"]
    assert sum(one.count for one in found.by_code) == found.refused


def test_refusals_with_a_code_that_nobody_asked_for_are_not_lost() -> None:
    whole = gathered()
    series = {**(whole.series or {}), "refused": Series((OPENS.timestamp(),), (20_000.0,))}
    found = asked(conclude(replace(whole, series=series), list_prices())).by_code
    assert {one.code for one in found} >= {"other"}
    assert sum(one.count for one in found) == 20_000


def test_the_sell_curve_ends_with_every_ticket() -> None:
    found = facts().sold
    assert found is not None
    slices = found.over_time
    assert slices is not None
    assert slices.counts["total"][-1] == CAPACITY
    assert sum(slices.counts["sold"]) == CAPACITY


def test_percentiles_are_over_the_whole_sale_and_never_averaged() -> None:
    (accept, refuse, edge, decide) = facts().waits
    assert (accept.p50, accept.p99) == (12.0, 22.4)
    assert (refuse.p50, edge.p50) == (2.0, 5.0)
    assert decide.of == "this event"
    whole = gathered()
    twice = {**(whole.series or {}), "whole_accept_p99": Series((0.0, 60.0), (1.0, 9.0))}
    assert len(conclude(replace(whole, series=twice), list_prices()).waits) == 3, (
        "two buckets are no percentile"
    )


def test_alarms_faults_and_actions_are_on_one_time_line() -> None:
    told = [(moment.kind, moment.at, moment.until) for moment in facts().moments if moment.kind != "sale"]
    assert told == [
        ("fault", at(14), at(20)),
        ("alarm", at(18), at(30)),
        ("action", at(26), None),
        ("action", at(31), None),
    ]


def test_other_events_pauses_are_not_told() -> None:
    assert "another concert" not in {moment.detail for moment in facts().moments}


def test_an_alarm_that_is_still_on_has_no_end_and_one_that_was_on_before_has_a_beginning() -> None:
    def change(second: int, before: str, after: str, name: str) -> AlarmChange:
        return AlarmChange(name, OPENS + timedelta(seconds=second), before, after)

    on = (
        change(3, "OK", "ALARM", "a"),
        change(5, "ALARM", "OK", "b"),
        change(9, "OK", "INSUFFICIENT_DATA", "c"),
    )
    found = {
        moment.what: (moment.at, moment.until)
        for moment in moments(replace(gathered(), alarms=on))
        if moment.kind == "alarm"
    }
    assert found == {"alarm a": (at(3), None), "alarm b": (OPENS, at(5))}


def shown(**tickets: int) -> ConservationShown:
    places = {"capacity": 100, "sold": 60, "reserved": 10, "pending": 5, "available": 25, "gap": 0} | tickets
    return ConservationShown(**places, sources={}, as_of=NOW)


def test_the_certificate_holds_when_every_ticket_is_in_one_place() -> None:
    found = certificate(shown())
    assert found.holds
    assert found.sentence == "Every one of the 100 tickets is in exactly one place; none was sold twice."


@pytest.mark.parametrize(
    ("tickets", "words"),
    [
        ({"available": 22, "gap": 3}, "3 of 100 tickets are in no place"),
        ({"sold": 62, "gap": -2}, "2 tickets more than the 100 there are"),
        ({"sold": 61, "gap": 0}, "do not add up: it tells a gap of 0, the sum says -1"),
    ],
    ids=["lost", "twice", "a gap that was told wrongly"],
)
def test_the_certificate_does_not_hold_when_one_is_not(tickets: dict[str, int], words: str) -> None:
    found = certificate(shown(**tickets))
    assert not found.holds
    assert words in found.sentence


def test_costs_are_of_the_measured_milliseconds() -> None:
    found = facts().costs
    assert found is not None
    assert found.order_handled.door_ms == pytest.approx(6.5)
    assert found.order_handled.worker_ms == pytest.approx(3.1)
    assert found.refusal_handled is not None
    assert found.refusal_handled.door_ms == pytest.approx(1.9)
    assert found.edge_requests == 14_383
    assert found.orders.total > (found.refusals.total if found.refusals else 0) > 3.5


def test_without_the_workers_time_an_order_has_no_price() -> None:
    whole = gathered()
    series = {name: one for name, one in (whole.series or {}).items() if name != "worker_ms"}
    found = conclude(replace(whole, series=series), list_prices())
    assert found.costs is None
    assert "the fulfilment function's time" in found.missing[-1].why


def test_without_metrics_nothing_is_guessed() -> None:
    found = facts("/ops/metrics")
    assert (found.asked, found.costs) == (None, None)
    assert found.waits == ()
    assert found.sold is not None
    assert {one.source for one in found.missing} >= {"the metrics", "the cost of an order"}


def test_a_sale_in_which_nobody_asked_has_a_report_too() -> None:
    empty = replace(gathered(), series={}, sale=None, alarms=(), actions=())
    found = conclude(empty, list_prices())
    assert (found.asked, found.sold) == (None, None)
