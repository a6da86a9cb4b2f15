"""A sale on the page, live: a rush moves it within two seconds, and its switches switch the real door."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.browser.browsing import until_text
from tests.browser.conftest import OpenTab, Say
from tests.browser.scenes import an_event, an_order, newest, sold
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

WITHIN_SECONDS = 2.0


def test_an_order_is_on_the_page_within_two_seconds(stack: Stack, open_tab: OpenTab, say: Say) -> None:
    event_id = an_event(stack)
    tab = open_tab(stack, f"sale/{event_id}")
    until(lambda: tab.tile("Sold") == 0, "the page is live")
    assert an_order(stack, event_id).status == 202
    asked_at = time.monotonic()
    until(lambda: part(tab, "pending") + tab.tile("Sold") > 0, "the order is on the page")
    took = time.monotonic() - asked_at
    say(f"an order was on the page after {took:.2f} s")
    assert took < WITHIN_SECONDS


def part(tab: Any, name: str) -> int:
    """Tickets of one part of the capacity, by the page."""
    item = tab.page.locator(".sum li", has_text=name).locator(".number")
    return int(item.inner_text().replace(",", "")) if item.count() else 0


def test_a_rush_moves_the_curve_within_two_seconds(stack: Stack, open_tab: OpenTab, say: Say) -> None:
    tab = open_tab(stack, "sale")
    before = newest(stack)
    rush = threading.Thread(
        target=stack.infra, args=("rush", "--tickets", "300", "--buyers", "1500", "--json"), daemon=True
    )
    rush.start()
    until(lambda: newest(stack) > before, "the rush has made its event")
    tab.page.evaluate(f"location.hash = '#/sale/{newest(stack)}'")
    until(lambda: sold(stack, newest(stack)) > 0, "the first ticket is sold")
    sold_at = time.monotonic()
    until(lambda: tab.tile("Sold") > 0, "the curve moves")
    took = time.monotonic() - sold_at
    say(f"the curve had moved {took:.2f} s after the first ticket was sold")
    rush.join()
    until(lambda: tab.tile("Sold") == 300, "it is sold out on the page")
    until_text(tab.page.locator(".gap"), "Gap 0")
    until_text(tab.page.locator(".rows"), "Sold out")
    assert tab.page.locator(".plot.curve canvas").count() == 1
    assert took < WITHIN_SECONDS


def test_the_page_follows_the_newest_sale_by_itself(stack: Stack, open_tab: OpenTab) -> None:
    tab = open_tab(stack, "sale")
    event_id = an_event(stack, tickets=4_321)
    until_text(tab.page.locator(".tile[data-name=Sold] .note"), "of 4,321")
    assert tab.page.locator(".picker").input_value() == "newest"
    assert sold(stack, event_id) == 0


def test_a_sale_that_is_paused_on_the_page_refuses_orders(stack: Stack, open_tab: OpenTab) -> None:
    event_id = an_event(stack)
    tab = open_tab(stack, f"sale/{event_id}")
    status = tab.page.locator(".page-head .status")
    until_text(status, "On sale")
    tab.page.get_by_role("button", name="Pause").click()
    tab.confirm("the queue in front of the hall is too long")
    until_text(status, "Paused")
    refused = an_order(stack, event_id)
    assert (refused.status, refused.json["code"]) == (409, "sale-paused")
    tab.page.get_by_role("button", name="Resume").click()
    tab.confirm()
    until_text(status, "On sale")
    assert an_order(stack, event_id).status == 202
    tab.open("log")
    until_text(tab.page.locator("tbody"), "the queue in front of the hall is too long")
    until_text(tab.page.locator("tbody"), f"event {event_id}")


def test_a_sale_is_closed_only_by_who_types_the_word(stack: Stack, open_tab: OpenTab) -> None:
    event_id = an_event(stack)
    tab = open_tab(stack, f"sale/{event_id}")
    status = tab.page.locator(".page-head .status")
    until_text(status, "On sale")
    tab.page.get_by_role("button", name="Close").click()
    dialog = tab.page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("cancelled by the artist")
    dialog.locator("button[type=submit]").click()
    assert dialog.count() == 1, "the word is missing, so nothing was sent"
    assert stack.call("GET", f"/events/{event_id}").json["status"] == "on-sale"
    dialog.get_by_label("Type close").fill("close")
    tab.confirm()
    until_text(status, "Closed")


def test_fulfilment_that_is_paused_on_the_page_decides_nothing(stack: Stack, open_tab: OpenTab) -> None:
    event_id = an_event(stack)
    tab = open_tab(stack, "queue")
    state = tab.page.locator(".fulfilment .status")
    until_text(state, "Enabled")
    tab.page.get_by_role("button", name="Pause").click()
    tab.confirm("a migration")
    until_text(state, "Disabled")
    try:
        where = an_order(stack, event_id).headers["location"]
        until(lambda: tab.tile("Waiting") >= 1, "it waits on the queue")
        assert stack.call("GET", where).json["status"] == "pending"
    finally:
        tab.page.get_by_role("button", name="Resume").click()
        tab.confirm()
    until_text(state, "Enabled")
    until(lambda: stack.call("GET", where).json["status"] == "confirmed", "it is decided")
