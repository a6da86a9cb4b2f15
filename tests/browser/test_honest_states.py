"""What the page says when it cannot know: nothing yet, no longer, no charts. Old figures never look new."""

from __future__ import annotations

import json

import pytest

from tests.browser.browsing import Tab, until_text
from tests.browser.conftest import OpenTab
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

QUEUE = "**/ops/queue"
PROBLEM = {"title": "Not now", "status": 503, "detail": "The ledger rests.", "code": "unavailable"}


@pytest.fixture
def blank(stack: Stack, open_tab: OpenTab) -> Tab:
    """A tab that has shown nothing of the queue yet."""
    return open_tab(stack, "log")


def test_figures_that_stand_still_are_greyed_and_say_since_when(blank: Tab) -> None:
    blank.open("queue").settled()
    assert blank.tile("Waiting") == 0
    blank.page.route(QUEUE, lambda route: route.abort())
    until_text(blank.page.locator(".notice"), "Standing still since")
    assert blank.page.locator(".live.stale").count() == 1
    assert blank.tile("Waiting") == 0, "the last good figures stay"
    blank.page.unroute(QUEUE)
    until(lambda: blank.page.locator(".live.stale, .notice").count() == 0, "it is live again by itself")


def test_a_page_that_never_had_figures_shows_the_problem_and_a_way_out(blank: Tab) -> None:
    blank.page.route(QUEUE, lambda route: route.fulfill(status=503, body=json.dumps(PROBLEM)))
    blank.open("queue")
    until_text(blank.page.locator(".notice"), "The ledger rests.")
    assert blank.page.locator(".tile").count() == 0
    blank.page.unroute(QUEUE)
    blank.page.get_by_role("button", name="Try again").click()
    until(lambda: blank.tile("Waiting") == 0, "the figures are there")


def test_without_the_charting_library_there_are_numbers(blank: Tab) -> None:
    blank.page.route("**/console/echarts.js", lambda route: route.fulfill(status=404))
    blank.open("dashboard")
    until_text(blank.page.locator(".notice"), "Numbers without charts")
    until(lambda: blank.page.locator(".plot.timeSeries .rows li").count() > 0, "the numbers are there")
    assert blank.page.locator("canvas").count() == 0


def test_what_nobody_has_is_said_plainly(blank: Tab) -> None:
    blank.open("order?q=nobody-of-this-name")
    until_text(blank.page.locator(".empty"), "Nothing found")
    blank.open("dead-letters?userId=nobody-of-this-name")
    until_text(blank.page.locator(".empty"), "Nothing matches")
