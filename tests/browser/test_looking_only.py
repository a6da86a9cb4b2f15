"""Who may only look sees everything and changes nothing: the page says so, and the service holds it."""

from __future__ import annotations

import pytest

from tests.browser.browsing import Tab, until_text
from tests.browser.conftest import OpenTab
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SWITCHES = {
    "sale": ["Pause", "Resume", "Close"],
    "queue": ["Pause", "Resume"],
    "dead-letters": ["Redrive", "Delete"],
}
FORCED = """async ([path, body]) => {
  const token = sessionStorage.getItem("onsale.token");
  const headers = {"Content-Type": "application/json", Authorization: `Bearer ${token}`};
  const answer = await fetch(path, {method: "POST", headers, body: body && JSON.stringify(body)});
  return answer.status;
}"""
CHANGES = [
    ("ops/fulfilment/pause", {}),
    ("ops/fulfilment/resume", {}),
    ("ops/dead-letters/redrive", {"all": True}),
    ("ops/dead-letters/delete", {"messageIds": ["x"], "reason": "no"}),
    ("events/1/pause", None),
    ("events/1/resume", None),
    ("events/1/close", None),
]


def token_for(stack: Stack, user: str, role: str) -> str:
    made = stack.infra("token", "--user", user, "--role", role)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def event_id(guarded: Stack) -> int:
    draft = {"name": "x", "description": "", "totalTickets": 10}
    authorization = f"Bearer {token_for(guarded, 'oona', 'operator')}"
    return int(guarded.call("POST", "/events", draft, Authorization=authorization).json["id"])


@pytest.fixture
def tab(guarded: Stack, event_id: int, open_tab: OpenTab) -> Tab:
    """A page with the token of somebody who may only look."""
    opened = open_tab(guarded, f"sale/{event_id}")
    opened.sign_in(token_for(guarded, "sam", "staff"))
    until_text(opened.page.locator(".who"), "sam")
    return opened


@pytest.mark.parametrize("path", SWITCHES)
def test_every_switch_is_off_and_says_why(tab: Tab, event_id: int, path: str) -> None:
    tab.open(f"sale/{event_id}" if path == "sale" else path)
    tab.settled()
    for name in SWITCHES[path]:
        switch = tab.page.get_by_role("button", name=name, exact=True)
        assert switch.is_disabled()
        assert "role operator" in (switch.get_attribute("title") or "")
    until_text(tab.page.locator(".read-only"), "Read only: your roles (staff)")


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_the_service_refuses_what_the_page_would_not_send(tab: Tab, path: str, body: object) -> None:
    assert tab.page.evaluate(FORCED, [path, body]) == 403


def test_an_operator_may_switch(guarded: Stack, event_id: int, open_tab: OpenTab) -> None:
    """The control: the same page with another token."""
    tab = open_tab(guarded, f"sale/{event_id}")
    tab.sign_in(token_for(guarded, "oona", "operator"))
    pause = tab.page.get_by_role("button", name="Pause", exact=True)
    until(pause.is_enabled, "the switch is on")
    assert tab.page.evaluate(FORCED, [f"events/{event_id}/pause", None]) == 200


def test_the_token_is_in_no_address_and_not_kept_for_good(tab: Tab) -> None:
    token = tab.page.evaluate("sessionStorage.getItem('onsale.token')")
    asked = tab.page.evaluate("performance.getEntries().map((entry) => entry.name).join(' ')")
    assert token
    assert token not in asked + tab.page.url
    assert tab.page.evaluate("Object.values(localStorage).join(' ')").find(token) == -1
