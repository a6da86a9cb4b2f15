"""The logs of a whole rush: every line of the service names its request, none names a person or a secret."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.log import log
from chalicelib.payments import SIGNATURE_HEADER, sign
from tests.support import emf
from tests.support.stack import Stack, broken_promises
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SECRET = "planted-payment-secret-7f3a"
KEY = "planted-idempotency-key-91bc"
TOKEN = "planted.bearer.token-44de"
BUYER = "planted.buyer+tour@example.org"
FORBIDDEN: Mapping[str, str] = {
    "the payment secret": re.escape(SECRET),
    "an idempotency key": re.escape(KEY),
    "a bearer token": re.escape(TOKEN) + r"|[Bb]earer\s+\S",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.[a-z]{2,}",
    "a buyer": r"buyer-\d+-\d+|planted\.buyer|\"userId\"|\"user_id\"",
    "a signature": r"v1=[0-9a-f]{16}",
    "a password in an address": r"://[^/\s:@]+:[^/\s@]+@",
}
TICKETS, BUYERS = 200, 600


def lines_of(folder: Path) -> list[str]:
    """Everything that was written to the logs, by whichever process."""
    texts = [path.read_text("utf-8", "replace") for path in sorted(folder.glob("*.log"))]
    return [line for text in texts for line in text.splitlines()]


def found_in(folder: Path) -> dict[str, list[str]]:
    """What is forbidden, and the lines of the logs that have it."""
    lines = [
        line
        for path in sorted(folder.glob("*.log"))
        for line in path.read_text("utf-8", "replace").splitlines()
    ]
    hits = {what: [line for line in lines if re.search(form, line)] for what, form in FORBIDDEN.items()}
    return {what: shown[:3] for what, shown in hits.items() if shown}


def send(stack: Stack, method: str, path: str, body: bytes, **headers: str) -> int:
    """One request that says as much of what must not be logged as it can; the status of the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    secretive = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "From": BUYER,
        "Idempotency-Key": KEY,
    }
    request = urllib.request.Request(stack.url + path, body or None, {**secretive, **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def order(event_id: int, **more: object) -> bytes:
    return json.dumps({"eventId": event_id, "quantity": 1, "userId": BUYER, **more}).encode()


def a_lively_afternoon(stack: Stack) -> None:
    """Everything that makes the service say something: sales, refusals, payments, nonsense, cancelling."""
    result = stack.rush(tickets=TICKETS, buyers=BUYERS)
    assert broken_promises(result) == []
    terms = {"name": BUYER, "description": TOKEN, "ticketTypes": [{"name": "x", "price": 100, "capacity": 2}]}
    event_id = stack.call("POST", "/events", terms | {"holdSeconds": 600}).json["id"]
    assert send(stack, "POST", "/orders", order(event_id)) == 202
    assert send(stack, "POST", "/orders", order(event_id, quantity=2)) == 422  # the key again, another body
    assert send(stack, "POST", "/orders", order(event_id, **{BUYER: KEY})) == 422
    assert send(stack, "POST", "/orders", f'{{"userId": "{BUYER}", '.encode()) == 400
    assert send(stack, "GET", f"/orders?userId={BUYER}&cursor={KEY}", b"") == 422
    assert send(stack, "GET", f"/{BUYER}/{TOKEN}", b"") == 404
    until(lambda: bool(orders(stack, event_id, "reserved")), "it is reserved")
    (order_id,) = orders(stack, event_id, "reserved")
    pay(stack, order_id, "another-secret", 401)
    pay(stack, order_id, SECRET, 200)
    assert send(stack, "DELETE", f"/orders/{order_id}", b"") == 200


def orders(stack: Stack, event_id: int, status: str) -> list[str]:
    """Ids of the event's orders that stand so."""
    listed = stack.call("GET", f"/orders?eventId={event_id}&status={status}").json["items"]
    return [shown["id"] for shown in listed]


def pay(stack: Stack, order_id: str, secret: str, status: int) -> None:
    notice = {
        "reference": "ref-1",
        "orderId": order_id,
        "amount": 100,
        "currency": "EUR",
        "outcome": "succeeded",
    }
    body = json.dumps(notice).encode()
    signature = {SIGNATURE_HEADER.replace("-", "_"): sign(secret, int(time.time()), body)}
    assert send(stack, "POST", "/payments/events", body, **signature) == status


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    variables = {"PAYMENT_SECRET": SECRET, "LOG_LEVEL": "debug"}
    with Stack(folder, variables).background() as stack:
        a_lively_afternoon(stack)
    return folder / "logs"


def facts(logs: Path) -> list[dict[str, Any]]:
    """The lines that the service itself wrote."""
    return [json.loads(line) for line in lines_of(logs) if line.startswith('{"time"')]


def test_a_rushs_logs_name_no_person_and_no_secret(logs: Path) -> None:
    assert found_in(logs) == {}


def test_every_line_of_the_service_names_its_request_or_call(logs: Path) -> None:
    said = facts(logs)
    events = {line["event"] for line in said}
    assert {"order-accepted", "order-refused", "batch-applied", "payment-taken", "gate-filled"} <= events
    assert [line for line in said if not line.get("requestId")] == []
    accepted = [line["requestId"] for line in said if line["event"] == "order-accepted"]
    assert len(accepted) == len(set(accepted)) > TICKETS


def test_the_metrics_of_a_rush_can_be_read_and_agree_with_one_another(logs: Path) -> None:
    """Events are told apart by their numbers, and every order that was accepted was answered once."""
    said = [line for line in facts(logs) if "_aws" in line]
    assert {fault for line in said for fault in emf.faults(line)} == set()
    found = emf.points(said)
    assert {"Accepted", "Refused", "Confirmed", "DecideLatency", "QueueDepth", "OldestAge"} <= {
        point.name for point in found
    }
    events = {point.dimensions["EventId"] for point in found if "EventId" in point.dimensions}
    assert all(event_id.isdecimal() for event_id in events)
    assert {point.dimensions["Stage"] for point in found} == {"local"}
    of_rush = {"Stage": "local", "EventId": "1"}
    accepted, *answers = [
        emf.total(said, name, **of_rush) for name in ("Accepted", "Confirmed", "Reserved", "Rejected")
    ]
    assert accepted == sum(answers) > 0


def test_the_same_search_finds_each_of_them_where_it_is(tmp_path: Path) -> None:
    """The negative control: a careless line for each."""
    for careless in (
        SECRET,
        KEY,
        f"Authorization: Bearer {TOKEN}",
        BUYER,
        '{"userId": 1}',
        "t=1,v1=" + "0" * 64,
    ):
        (tmp_path / "http.log").write_text(f"fine\n{careless}\nfine\n")
        assert found_in(tmp_path), careless
    (tmp_path / "http.log").write_text("postgresql://u:p@127.0.0.1/x\nbuyer-7-12\n")
    assert set(found_in(tmp_path)) == {"a password in an address", "a buyer"}
    (tmp_path / "http.log").write_text("postgresql://onsale@127.0.0.1:5432/onsale\n")
    assert found_in(tmp_path) == {}


def test_a_careless_line_of_the_service_would_be_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log("careless", "error", detail=f"key {KEY} of {BUYER}")
    (tmp_path / "worker-1.log").write_text(capfd.readouterr().out)
    assert set(found_in(tmp_path)) == {"an idempotency key", "an e-mail address", "a buyer"}
