"""Takes the pictures of the console for the README: `python -m tests.browser.pictures` [folder].

Starts a stack of its own, plays a rush, makes some poison, and looks.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.browsing import PATIENT, Tab, browser
from tests.browser.scenes import BURIED_SECONDS, an_event, an_order, buried, newest, poison_for, sold
from tests.support.chromium import chromium
from tests.support.stack import Stack
from tests.support.waiting import until

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 1440, "height": 1000}
TICKETS, BUYERS = 50_000, 80_000
BEFORE = timedelta(seconds=15)
"""Quiet time on the picture before the rush."""
AFTER = timedelta(seconds=12)
SETTLED = timedelta(seconds=3)
BUYERS_OF_POISON = ("mallory", "trudy", "oscar", "eve")


def take(folder: Path) -> None:
    """Writes the three pictures into `folder`. Raises RuntimeError where there is no Chromium."""
    executable = chromium()
    if executable is None:
        raise RuntimeError("there is no Chromium on this machine")
    with (
        tempfile.TemporaryDirectory() as place,
        Stack(Path(place) / "stack", PATIENT).background() as stack,
        browser(executable) as running,
    ):
        shown = partial(a_tab, running, stack.url)
        began = datetime.now(UTC) - BEFORE
        event_id = in_the_middle_of_a_rush(stack)
        picture(shown("dark"), "sale?window=sale", folder)
        until(lambda: sold(stack, event_id) == TICKETS, "it is sold out", 120)
        frame = f"from={written(began)}&to={written(datetime.now(UTC) + AFTER)}&refresh=2"
        picture(shown("dark"), f"dashboard?{frame}", folder, AFTER)
        with_poison(stack)
        picture(foreseen(shown("light")), "", folder)


def a_tab(running: Browser, url: str, scheme: str) -> Tab:
    """A tab of the pictures' size, light or dark."""
    return Tab(running, url, viewport=SIZE, color_scheme=scheme)


def written(moment: datetime) -> str:
    """A moment as the page's address has it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def with_poison(stack: Stack) -> None:
    """Moves the orders of a few buyers aside."""
    event_id = an_event(stack)
    for user in BUYERS_OF_POISON:
        with poison_for(stack, user):
            an_order(stack, event_id, user)
            until(lambda who=user: buried(stack, who), "it is moved aside", BURIED_SECONDS)  # type: ignore[misc]


def foreseen(tab: Tab) -> Tab:
    """Has the page foresee what a replay of all dead letters would do."""
    tab.open("dead-letters")
    tab.settled()
    tab.page.get_by_label("Select all").check()
    tab.page.get_by_role("button", name="Dry run").click()
    tab.page.locator("dialog .verdicts").wait_for()
    return tab


def in_the_middle_of_a_rush(stack: Stack) -> int:
    """Starts a rush; returns its event when half of it is sold."""
    before = newest(stack)
    words = ("rush", "--tickets", str(TICKETS), "--buyers", str(BUYERS))
    threading.Thread(target=stack.infra, args=words, daemon=True).start()
    until(lambda: newest(stack) > before, "the rush has made its event")
    event_id = newest(stack)
    until(lambda: sold(stack, event_id) > TICKETS / 2, "half of it is sold", 120)
    return event_id


def picture(tab: Tab, path: str, folder: Path, wait: timedelta = SETTLED) -> None:
    """Opens a page, or takes the one that is open, lets it draw, and writes what it looks like."""
    if path:
        tab.open(path)
        tab.settled()
    tab.page.wait_for_timeout(wait.total_seconds() * 1000)
    name = tab.page.evaluate("location.hash").removeprefix("#/").partition("?")[0].partition("/")[0]
    tab.page.screenshot(path=folder / f"console-{name}.png")
    tab.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
