"""What becomes of an order at a deployed stage: API Gateway, one function, SQS, another, the ledger."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from urllib.parse import urljoin

import pytest
from click.testing import CliRunner

from infra.__main__ import main
from tests.e2e.test_up import test_a_client_of_the_seed_is_served
from tests.support.deployed import Deployed, Held
from tests.support.waiting import until

__all__ = ["test_a_client_of_the_seed_is_served"]

pytestmark = [pytest.mark.slow, pytest.mark.deploy]

EVERY_MINUTE_SECONDS = 100
"""The schedule's minute, and what is before it and after it."""


def decided(stack: Deployed, order_id: str, status: str) -> None:
    until(lambda: stack.status_of(order_id) == status, f"the order is {status}")


def test_the_answer_to_an_order_says_where_it_can_be_read(stack: Deployed) -> None:
    accepted = stack.order(stack.event(), "ada")
    assert accepted.status == 202
    origin = stack.url.removesuffix("/api")
    with urllib.request.urlopen(origin + accepted.headers["location"]) as answer:
        assert json.load(answer)["id"] == accepted.json["id"]
    decided(stack, accepted.json["id"], "confirmed")


def test_a_request_that_is_repeated_with_its_key_is_the_same_order(stack: Deployed) -> None:
    event_id = stack.event()
    first, again = (stack.order(event_id, "ada", **{"Idempotency-Key": '"ada-1"'}) for _ in range(2))
    assert (first.status, again.status) == (202, 202)
    assert again.json["id"] == first.json["id"]
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")


def test_whoever_comes_after_the_last_ticket_hears_sold_out(stack: Deployed) -> None:
    event_id = stack.event(tickets=1)
    assert stack.order(event_id, "ada").status == 202
    refused = stack.order(event_id, "bob")
    assert (refused.status, refused.json["code"]) == (409, "sold-out")
    assert refused.headers["content-type"].startswith("application/problem+json")


def test_a_held_order_is_confirmed_by_its_payment(stack: Deployed) -> None:
    event_id = stack.event(holdSeconds=600)
    order_id = stack.order(event_id, "ada").json["id"]
    decided(stack, order_id, "reserved")
    at = ["--stage", stack.stage, "--target", "emulator", "--state-dir", str(stack.state_dir)]
    said = CliRunner().invoke(main, ["pay", order_id, *at])
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, f"order    {order_id}: confirmed"), (
        said.output
    )


def test_a_payment_that_is_signed_with_another_secret_is_refused(stack: Deployed) -> None:
    body = {"reference": "pay_1", "orderId": "x", "amount": 0, "currency": "EUR", "outcome": "succeeded"}
    answer = stack.call("POST", "/payments/events", body, **{"Onsale-Signature": "t=1,v1=00"})
    assert answer.status in {400, 401, 403}


def test_a_cancelled_order_gives_its_ticket_back(stack: Deployed) -> None:
    event_id = stack.event(tickets=1)
    order_id = stack.order(event_id, "ada").json["id"]
    decided(stack, order_id, "confirmed")
    assert stack.call("DELETE", f"/orders/{order_id}").status == 200
    assert stack.status_of(order_id) == "cancelled"
    until(lambda: stack.order(event_id, "bob").status == 202, "the ticket is on sale again")


def test_an_order_that_nobody_pays_is_put_back_on_sale_by_the_schedule(stack: Deployed, unpaid: Held) -> None:
    until(lambda: stack.status_of(unpaid.order_id) == "expired", "it has expired", EVERY_MINUTE_SECONDS)
    until(lambda: stack.order(unpaid.event_id, "bob").status == 202, "the ticket is on sale again")


def test_a_path_that_is_nowhere_is_a_problem_like_any_other(stack: Deployed) -> None:
    answer = stack.call("GET", "/nowhere")
    assert (answer.status, answer.json["code"]) == (404, "route-not-found")
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_body_that_is_no_json_is_a_problem_like_any_other(stack: Deployed) -> None:
    request = urllib.request.Request(
        f"{stack.url}/orders", b'{"eventId":', {"Content-Type": "application/json"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    with raised.value as refusal:
        assert (refusal.code, json.load(refusal)["code"]) == (400, "malformed-body")
        assert refusal.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("page", ["docs", "console"])
def test_a_page_finds_what_it_needs_under_the_address_of_the_api(stack: Deployed, page: str) -> None:
    with urllib.request.urlopen(f"{stack.url}/{page}") as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        address, text = answer.url, answer.read().decode()
    wanted = {urljoin(address, found) for found in re.findall(r'(?:src|href)="([^"#]+)"', text)}
    files = {url for url in wanted if url.endswith((".js", ".css"))}
    assert files, wanted
    for url in files:
        assert url.startswith(stack.url)
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200


def test_what_the_console_asks_for_is_answered(stack: Deployed) -> None:
    event_id = stack.event()
    for path in (
        f"/ops/events/{event_id}/sale",
        "/ops/queue",
        "/ops/alarms",
        "/ops/dead-letters",
        "/ops/dashboard",
    ):
        answer = stack.call("GET", path)
        assert answer.status == 200, (path, answer)
    assert {
        alarm["name"].startswith(stack.names.prefix)
        for alarm in stack.call("GET", "/ops/alarms").json["items"]
    } == {True}
