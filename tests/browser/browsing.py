"""The console in Chromium: how it is started, and what a page's numbers are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.support.chromium import FLAGS
from tests.support.waiting import until

PAGES = ("dashboard", "sale", "queue", "order", "dead-letters", "log")
WIDE = {"width": 1440, "height": 900}
PATIENCE_MS = 15_000
PATIENT = {"CLAIM_OVERDUE_MS": "60000"}
"""For the stack: an order that fails is not sent once more meanwhile, so that its one message becomes the
dead letter."""


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A Chromium of its own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield running
        finally:
            running.close()


class Tab:
    """One page of the console, and what the browser complained of."""

    def __init__(self, running: Browser, url: str, **options: Any) -> None:
        self.context = running.new_context(**{"viewport": WIDE, **options})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.url = url
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        # A refused request is the service's answer; a breach of the page's policy is the page's own fault.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.errors.append(text)

    def open(self, path: str = "dashboard") -> Tab:
        """Goes to a page of the console, anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/console#/{path}")
        self.page.wait_for_selector("h1")
        return self

    def tile(self, name: str) -> float:
        """The number of a tile; -1 while there is none."""
        return number(self.page.locator(f'.tile[data-name="{name}"] .value'))

    def settled(self) -> None:
        """Waits until nothing on the page is a skeleton any more."""
        self.until("!document.querySelector('.page [aria-busy=true], .page .skeleton')")

    def until(self, script: str) -> None:
        """Waits until a script says true. Playwright's own waiting needs eval, which the page forbids."""
        until(lambda: bool(self.page.evaluate(script)), script)

    def confirm(self, reason: str = "") -> None:
        """Answers the dialog that is open, with a reason, and waits until it is gone."""
        dialog = self.page.locator("dialog[open]")
        if reason:
            dialog.get_by_label("Reason").fill(reason)
        dialog.locator("button[type=submit]").click()
        dialog.wait_for(state="detached")

    def sign_in(self, token: str) -> None:
        """Gives a token in the dialog that asks for one."""
        dialog = self.page.locator("dialog[open]")
        dialog.get_by_label("Bearer token").fill(token)
        dialog.get_by_role("button", name="Use it").click()
        dialog.wait_for(state="detached")

    def close(self) -> None:
        """Leaves; raises AssertionError for what the browser complained of."""
        self.context.close()
        assert self.errors == []


def number(place: Locator) -> float:
    """The number that is written there; -1 for none."""
    if place.count() == 0:
        return -1.0
    found = re.search(r"-?[\d,]+(\.\d+)?", place.first.inner_text())
    return float(found[0].replace(",", "")) if found else -1.0


def until_text(place: Locator, text: str, seconds: float = 20) -> None:
    """Waits until `place` says `text`."""
    until(lambda: place.count() > 0 and text in place.first.inner_text(), f"the page says {text!r}", seconds)
