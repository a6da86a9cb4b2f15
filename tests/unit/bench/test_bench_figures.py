"""What a figure is held against: targets, margins and shares."""

from __future__ import annotations

import pytest

from infra.bench.cpu import ELSEWHERE, PARTS
from infra.bench.figures import HandlerCpu, LedgerRate, SoldOut, Target, targets
from tests.support.bench import figures


def test_a_target_at_least_so_high_is_met_from_its_edge_on() -> None:
    assert Target(figure="x", wanted=100, measured=100).met
    assert not Target(figure="x", wanted=100, measured=99.9).met


def test_a_target_at_most_so_high_is_met_up_to_its_edge() -> None:
    assert Target(figure="x", wanted=80, measured=80, least=False).met
    assert not Target(figure="x", wanted=80, measured=80.1, least=False).met


@pytest.mark.parametrize(
    ("measured", "least", "margin"), [(150, True, 0.5), (50, True, -0.5), (50, False, 0.5), (300, False, -2)]
)
def test_a_margin_is_positive_when_it_is_better(measured: float, least: bool, margin: float) -> None:
    assert Target(figure="x", wanted=100, measured=measured, least=least).margin == margin


def test_the_share_of_the_ledger_is_ours_of_the_raw_insert() -> None:
    assert LedgerRate(batch=100, raw_insert_per_second=60_000, fulfilled_per_second=21_000).share == 0.35


def test_the_rest_of_a_request_is_what_no_part_has_used() -> None:
    assert HandlerCpu(whole=300, dispatch=25, gate=115, queue=100).rest == 60


def test_transactions_and_messages_are_counted_for_a_thousand_answers() -> None:
    sold_out: SoldOut = figures(transactions=4, messages=1, answers=10_000).sold_out
    assert sold_out.touches_per_thousand == 0.5


def test_every_figure_that_was_asked_for_has_one_target() -> None:
    names = [target.figure for target in targets(figures())]
    assert len(names) == len(set(names)) == 11


def test_a_service_that_asks_the_database_for_each_refusal_misses_its_target() -> None:
    judged = {target.figure: target for target in targets(figures(transactions=10_000, answers=10_000))}
    assert not judged["soldOutTouchesPerThousand"].met


def test_the_sample_has_every_part_that_the_meter_reads() -> None:
    assert set(figures().sold_out.cpu_micros) == {*PARTS, ELSEWHERE, "crowd"}
