"""A rush that is written down, over real sockets: nothing that was asked or answered is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.history.story import Story, tell
from infra.rush.plan import RushPlan
from infra.rush.recorded import run_recorded_rush
from infra.rush.result import RushResult
from tests.support.box_office import BoxOffice, Front, serving

CUTS = frozenset({3, 20, 55})


def recorded(front: Front, file: Path, **figures: Any) -> tuple[RushResult, Story]:
    asked = {"tickets": 20, "buyers": 60, "concurrency": 8, "answer_seconds": 2.0, "settle_seconds": 0.0}
    with serving(front) as url:
        result = run_recorded_rush(RushPlan(url=url, **{**asked, **figures}), file, None)
    with file.open("rb") as lines:
        return result, tell(lines)


def test_every_buyer_is_in_the_history_with_what_they_heard(tmp_path: Path) -> None:
    result, story = recorded(Front(BoxOffice()), tmp_path / "h", sample_every=0)
    assert result.history == str(tmp_path / "h")
    buys = [request for request in story.requests.values() if request.buys]
    assert {request.user_id for request in buys} == {f"buyer-1-{number}" for number in range(60)}
    assert len(list(story.accepted())) == result.accepted == 20
    assert sum(answer.code == "sold-out" for answer in story.answers.values()) == 40
    assert all(story.answers[request.number].at_ms >= request.at_ms for request in buys)
    assert story.end is not None
    assert [stock.available for stock in story.end.left or ()] == [0]


def test_a_request_that_was_cut_off_has_no_answer(tmp_path: Path) -> None:
    result, story = recorded(Front(BoxOffice(), cuts=CUTS), tmp_path / "h", sample_every=0)
    assert result.unknown == len(CUTS)
    assert len(list(story.unheard())) == len(CUTS)
    assert len(story.requests) == 60


def test_those_who_are_followed_are_heard_as_well(tmp_path: Path) -> None:
    _, story = recorded(Front(BoxOffice()), tmp_path / "h", sample_every=10)
    questions = [request for request in story.requests.values() if request.method == "GET"]
    assert len({request.order_id for request in questions}) == 2
    told = [story.answers[request.number].order_status for request in questions]
    assert told.count("confirmed") == 2
