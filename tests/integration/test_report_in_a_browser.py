"""The report in a real browser: it asks for nothing, runs nothing, and anybody can read it, on paper too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from infra.cost.prices import list_prices
from infra.report.facts import conclude
from infra.report.gather import gather
from infra.report.page import page
from tests.support.chromium import FLAGS, chromium
from tests.support.sold_out import NOW, SoldOut

BROWSER = chromium()
Scheme = Literal["light", "dark"]
EVIL = "Night One <script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
A4_PX = 673
"""What is left of A4 between its margins, at 96 a inch."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "report.html"
    written.write_text(page(conclude(gather(SoldOut(EVIL), 7, NOW), list_prices())), encoding="utf-8")
    return written


def opened(browser: Browser, file: Path, scheme: Scheme = "light", width: int = 900) -> Page:
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown.goto(file.as_uri())
    return shown


def test_it_asks_for_nothing_and_runs_nothing(browser: Browser, file: Path) -> None:
    shown = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert said == []
    assert shown.title() == f"{EVIL}: how the sale went"
    assert shown.locator("h1").inner_text() == EVIL


def test_its_policy_would_stop_what_got_through(browser: Browser, file: Path) -> None:
    """The negative control: the name as markup; it does become tags, and still nothing runs."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("</main>", f"{EVIL}</main>"), encoding="utf-8")
    shown = browser.new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(file.as_uri())
    assert shown.locator("main script").count() == 1
    assert shown.title() != "run"
    assert any("Content Security Policy" in line for line in said)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_every_table_open(browser: Browser, file: Path, scheme: Scheme) -> None:
    shown = opened(browser, file, scheme)
    shown.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()


def test_axe_would_find_a_picture_without_a_name(browser: Browser, file: Path) -> None:
    """The negative control."""
    shown = opened(browser, file)
    shown.locator("svg[role=img]").first.evaluate("one => one.replaceChildren()")
    assert Axe().run(shown).violations_count > 0


@pytest.mark.parametrize("width", [360, A4_PX, 1_400])
def test_nothing_is_wider_than_the_page(browser: Browser, file: Path, width: int) -> None:
    shown = opened(browser, file, width=width)
    shown.emulate_media(media="print" if width == A4_PX else "screen")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_is_white_whatever_the_screen_is(browser: Browser, file: Path) -> None:
    shown = opened(browser, file, "dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert shown.evaluate(colour) == "rgb(20, 23, 28)"
    shown.emulate_media(media="print")
    assert shown.evaluate(colour) == "rgb(255, 255, 255)"
