"""What is asked of the service, and what becomes of a source that does not answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
import pytest

from infra.report.gather import gather
from infra.report.gathered import Gathered, Window
from tests.support.sold_out import CAPACITY, NOW, OPENS, SoldOut

SOURCES = {
    "/ops/me": {"the stage", "the metrics"},
    "/ops/events/7/sale": {"the sale", "the sell curve"},
    "/ops/events/7/conservation": {"the conservation"},
    "/ops/alarms/history": {"the alarms"},
    "/ops/log": {"the operators' log"},
    "/ops/metrics": {"when people asked", "the metrics"},
}
"""Each path, and what is not known without it."""


def gathered(service: SoldOut) -> Gathered:
    return gather(service, 7, NOW)


def test_everything_is_read_and_nothing_is_missing() -> None:
    service = SoldOut()
    found = gathered(service)
    assert found.missing == ()
    assert set(service.asked) == {"/events/7", *SOURCES}


def test_the_window_is_the_minute_in_which_people_asked_cut_into_seconds() -> None:
    found = gathered(SoldOut())
    assert found.window == Window(OPENS, OPENS + timedelta(minutes=1))
    assert found.period_seconds == 1


def test_the_curve_of_a_long_window_is_put_together_of_several() -> None:
    span = (OPENS - timedelta(hours=7), OPENS + timedelta(hours=6))
    service = SoldOut()
    found = gather(service, 7, NOW + timedelta(hours=9), span)
    assert found.sale is not None
    assert sum(found.sale.curve.sold) == CAPACITY
    assert len(found.sale.curve.sold) == 15 * 3_600
    assert service.asked.count("/ops/events/7/sale") == 4


def test_a_window_that_was_asked_for_is_kept() -> None:
    ends = (OPENS + timedelta(seconds=5), OPENS + timedelta(seconds=20))
    found = gather(SoldOut(), 7, NOW, ends)
    assert found.window == Window(*ends)
    assert found.window_given


@pytest.mark.parametrize("path", SOURCES)
def test_a_source_that_does_not_answer_is_named_and_the_rest_is_gathered(path: str) -> None:
    found = gathered(SoldOut(silent=(path,)))
    assert {one.source for one in found.missing} == SOURCES[path]
    known = gathered(SoldOut())
    if path != "/ops/events/7/conservation":
        assert found.conservation == known.conservation
    if path != "/ops/log":
        assert found.actions == known.actions


def test_an_answer_of_another_shape_is_a_missing_source_and_no_crash() -> None:
    class Odd(SoldOut):
        def get(self, path: str, **query: object) -> dict[str, Any]:
            answer = super().get(path, **query)
            return {"items": "many"} if path == "/ops/alarms/history" else answer

    (missing,) = gathered(Odd()).missing
    assert missing.source == "the alarms"
    assert missing.why.startswith("the answer is not as documented")


def test_without_the_event_there_is_no_report() -> None:
    with pytest.raises(click.ClickException, match="no such event"):
        gather(SoldOut(), 8, NOW)


def test_the_log_is_read_page_by_page_until_it_is_older_than_the_sale() -> None:
    class Long(SoldOut):
        pages = 0

        def get(self, path: str, **query: object) -> dict[str, Any]:
            answer = super().get(path, **query)
            if path != "/ops/log":
                return answer
            self.pages += 1
            old = {"at": "2026-11-22T08:00:00Z", "action": "sale-paused", "target": "event 7", "reason": None}
            return answer | {"nextCursor": "more"} if self.pages == 1 else {"items": [old], "nextCursor": "x"}

    service = Long()
    assert len(gathered(service).actions or ()) == 3
    assert service.pages == 2
