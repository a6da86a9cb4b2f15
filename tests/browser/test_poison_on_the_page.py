"""From poison to a confirmed order, with nothing but the page: found by its buyer, tried dry, redriven."""

from __future__ import annotations

import pytest

from tests.browser.browsing import Tab, until_text
from tests.browser.conftest import OpenTab
from tests.browser.scenes import BURIED_SECONDS, an_event, an_order, buried, poison_for
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

ALARM_SECONDS = 90


def filter_by_buyer(tab: Tab, user: str) -> None:
    tab.page.get_by_label("Buyer", exact=True).fill(user)
    tab.page.get_by_role("button", name="Filter").click()


def test_poison_is_found_tried_and_redriven(stack: Stack, open_tab: OpenTab) -> None:
    event_id, user = an_event(stack), "mallory"
    tab = open_tab(stack, "dead-letters")
    lamp = tab.page.locator(".lamp-button")
    with poison_for(stack, user):
        where = an_order(stack, event_id, user).headers["location"]
        until(lambda: buried(stack, user), "the poison is moved aside", BURIED_SECONDS)
        until(
            lambda: lamp.get_attribute("data-state") == "ALARM", "the alarm rises on the page", ALARM_SECONDS
        )
    filter_by_buyer(tab, user)
    rows = tab.page.locator("tbody tr")
    until(lambda: rows.count() == 1 and user in rows.first.inner_text(), "it is found by its buyer")
    rows.locator("input").check()
    tab.page.get_by_role("button", name="Dry run").click()
    until_text(tab.page.locator("dialog[open] .verdicts"), "Valid")
    tab.page.keyboard.press("Escape")
    assert stack.call("GET", where).json["status"] == "pending", "a dry run changes nothing"
    tab.page.get_by_role("button", name="Redrive").click()
    tab.confirm("the trigger is gone")
    until_text(tab.page.locator(".progress"), "1 letter redriven")
    until(lambda: stack.call("GET", where).json["status"] == "confirmed", "the order is confirmed")
    until(lambda: lamp.get_attribute("data-state") == "OK", "the alarm clears on the page", ALARM_SECONDS)
    story(tab, where.rpartition("/")[2])


def story(tab: Tab, order_id: str) -> None:
    """The order's page tells all of it."""
    tab.open(f"order/{order_id}")
    for told in ("Accepted", "Attempt failed", "Dead lettered", "Redriven", "Decided"):
        until_text(tab.page.locator(".timeline"), told)


def test_what_is_hopeless_is_deleted_for_a_reason(stack: Stack, open_tab: OpenTab) -> None:
    event_id, user = an_event(stack), "trudy"
    with poison_for(stack, user):
        where = an_order(stack, event_id, user).headers["location"]
        until(lambda: buried(stack, user), "the poison is moved aside", BURIED_SECONDS)
    tab = open_tab(stack, f"dead-letters?userId={user}")
    tab.page.locator("tbody input").check()
    tab.page.get_by_role("button", name="Delete").click()
    dialog = tab.page.locator("dialog[open]")
    dialog.locator("button[type=submit]").click()
    assert dialog.count() == 1, "there is no deleting without a reason"
    tab.confirm("bought twice by mistake")
    until_text(tab.page.locator(".progress"), "1 letter deleted")
    until(lambda: stack.call("GET", where).json["status"] == "cancelled", "the buyer has an answer")
    tab.open("log")
    until_text(tab.page.locator("tbody"), "bought twice by mistake")
