"""One stack and one Chromium for the whole folder, and a second stack that asks for tokens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.browsing import PATIENT, Tab, browser
from tests.support.chromium import chromium
from tests.support.stack import Stack


# For the folder, not for the session: while Playwright runs, no other test could run an event loop.
@pytest.fixture(scope="package")
def running_browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        pytest.skip("there is no Chromium on this machine")
    with browser(executable) as running:
        yield running


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, running_browser: Browser) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("browsed"), PATIENT).background() as running:
        yield running


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory, running_browser: Browser) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("guarded-browsed"), {"AUTH_MODE": "jwt"}).background() as running:
        yield running


OpenTab = Callable[..., Tab]
Say = Callable[[str], None]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Puts a measured figure on the terminal, passed or not."""

    def said(text: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n  {text}\n")

    return said


@pytest.fixture
def open_tab(running_browser: Browser) -> Iterator[OpenTab]:
    """Opens tabs on a stack; closes each at the end, when the browser must have had no complaint."""
    tabs: list[Tab] = []

    def opened(on: Stack, path: str = "dashboard", **options: object) -> Tab:
        tabs.append(Tab(running_browser, on.url, **options))
        return tabs[-1].open(path)

    yield opened
    for tab in tabs:
        tab.close()
