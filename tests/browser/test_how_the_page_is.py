"""The page itself: quick, small, open to everybody, and as light after an hour as at the beginning."""

from __future__ import annotations

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession

from tests.browser.browsing import PAGES, Tab
from tests.browser.conftest import OpenTab, Say
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

INTERACTIVE_MS = 1_000
SLACK = 3
"""A test machine may be busy; the figure itself is printed."""
TRANSFER_BYTES = 600 * 1024
UPDATES = 60
GROWTH_BYTES = 5_000_000
"""Compiled code and caches grow at first; three hundred updates grow no more than sixty."""
GROWTH_NODES = 200
EXPAND = """async () => {
  const {expand} = await import("/console/widgets.js");
  return expand([
    ["Onsale", "Accepted", "Stage", "local", {stat: "Sum", color: "#123456"}],
    [".", "Refused", ".", ".", {yAxis: "right"}],
    [".", ".", ".", ".", "Code", "sold-out"],
    ["...", "sale-paused"],
    [{expression: "m1 + m2", label: "both"}],
    ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "orders", {visible: false}],
  ]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_shuts_anybody_out(stack: Stack, open_tab: OpenTab, path: str, scheme: str) -> None:
    tab = open_tab(stack, path, color_scheme=scheme)
    tab.settled()
    assert violations(tab) == []


def violations(tab: Tab) -> list[str]:
    found = Axe().run(tab.page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


def test_control_axe_finds_what_is_wrong(stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(stack, "queue")
    tab.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert any(found.startswith("label") for found in violations(tab))


def test_a_narrow_page_does_not_scroll_sideways(stack: Stack, open_tab: OpenTab) -> None:
    for path in PAGES:
        tab = open_tab(stack, path, viewport={"width": 390, "height": 800})
        tab.settled()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_the_page_is_there_within_a_second(stack: Stack, open_tab: OpenTab, say: Say) -> None:
    tab = open_tab(stack, "queue")
    tab.settled()
    first = "performance.getEntriesByName('first-numbers')[0]?.startTime"
    until(lambda: tab.page.evaluate(first) is not None, "the first numbers are there")
    took = tab.page.evaluate(first)
    say(f"the first numbers were there {took:.0f} ms after the navigation began")
    assert took < SLACK * INTERACTIVE_MS


def test_the_page_comes_again_from_the_browsers_own_copy(stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(stack, "log")
    for _ in range(2):
        with tab.page.expect_response("**/console") as answer:
            tab.page.reload()
        tab.page.wait_for_selector("h1")
        tab.settled()
    assert answer.value.status in {200, 304}


def test_all_that_the_page_loads_is_small(running_browser: Browser, stack: Stack, say: Say) -> None:
    tab = Tab(running_browser, stack.url)
    session = cdp(tab)
    sizes: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    tab.open("dashboard")
    until(lambda: tab.page.locator("canvas").count() > 0, "the first chart is drawn")
    say(f"the page's transfer: {sum(sizes) / 1024:.0f} KiB in {len(sizes)} answers")
    assert 300_000 < sum(sizes) < TRANSFER_BYTES
    tab.close()


def cdp(tab: Tab) -> CDPSession:
    return tab.context.new_cdp_session(tab.page)


def test_sixty_updates_leave_nothing_behind(stack: Stack, open_tab: OpenTab, say: Say) -> None:
    tab = open_tab(stack, "dashboard?refresh=0")
    tab.settled()
    session = cdp(tab)
    session.send("Performance.enable")
    refresh(tab, 10)
    before = measured(session)
    refresh(tab, UPDATES)
    after = measured(session)
    heap, nodes = (after[name] - before[name] for name in ("JSHeapUsedSize", "Nodes"))
    say(f"{UPDATES} updates: heap {heap / 1024:+.0f} KiB, nodes {nodes:+.0f}")
    assert heap < GROWTH_BYTES
    assert nodes < GROWTH_NODES


def refresh(tab: Tab, times: int) -> None:
    for _ in range(times):
        with tab.page.expect_response("**/ops/metrics") as answer:
            tab.page.keyboard.press("r")
        assert answer.value.ok


def test_leaving_a_page_ends_all_it_began(stack: Stack, open_tab: OpenTab, say: Say) -> None:
    tab = open_tab(stack, "queue")
    session = cdp(tab)
    session.send("Performance.enable")

    def go_round() -> None:
        for path in PAGES:
            tab.page.evaluate(f"location.hash = '#/{path}'")
            # wait_for_selector would hand out the page's root, and so keep it
            tab.page.locator(f".page.{path}").wait_for()
            tab.settled()

    go_round()
    before = measured(session)
    for _ in range(5):
        go_round()
    after = measured(session)
    heap, nodes = (after[name] - before[name] for name in ("JSHeapUsedSize", "Nodes"))
    say(f"five times through all pages: heap {heap / 1024:+.0f} KiB, nodes {nodes:+.0f}")
    assert heap < GROWTH_BYTES
    assert nodes < 5 * GROWTH_NODES


def measured(session: CDPSession) -> dict[str, float]:
    """What the page holds, after the garbage was collected."""
    for _ in range(2):  # what the first round frees may be what kept something else
        session.send("HeapProfiler.collectGarbage")
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def test_a_page_that_nobody_sees_asks_for_nothing(stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(stack, "queue")
    tab.settled()
    hide = "Object.defineProperty(document, 'hidden', {get: () => %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    asked: list[float] = []
    tab.page.evaluate(hide % "true" + tell)
    tab.page.wait_for_load_state("networkidle")
    tab.page.on("request", lambda _: asked.append(time.monotonic()))
    seen_at = tab.page.evaluate("performance.now()")
    tab.until(f"performance.now() > {seen_at + 2_500}")
    assert asked == []
    tab.page.evaluate(hide % "false" + tell)
    until(lambda: bool(tab.page.evaluate("1")) and bool(asked), "it asks again when it is seen")


def test_the_keys_go_from_page_to_page(stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(stack, "dashboard")
    for key, title in (
        ("s", "Sale"),
        ("q", "Queue"),
        ("x", "Dead letters"),
        ("l", "Log"),
        ("d", "Dashboard"),
    ):
        tab.page.keyboard.press("g")
        tab.page.keyboard.press(key)
        tab.until(f"document.title.startsWith('{title}')")


def test_metrics_are_read_as_cloudwatch_writes_them(stack: Stack, open_tab: OpenTab) -> None:
    found = open_tab(stack).page.evaluate(EXPAND)
    stage = {"Stage": "local"}
    assert found["skipped"] == 1
    assert found["entries"] == [
        {"namespace": "Onsale", "metric": "Accepted", "dimensions": stage, "stat": "Sum", "color": "#123456"},
        {"namespace": "Onsale", "metric": "Refused", "dimensions": stage, "yAxis": "right"},
        {"namespace": "Onsale", "metric": "Refused", "dimensions": {**stage, "Code": "sold-out"}},
        {"namespace": "Onsale", "metric": "Refused", "dimensions": {**stage, "Code": "sale-paused"}},
    ]
