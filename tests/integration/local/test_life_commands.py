"""`pay` and `audit` against a running stack: money, the end of a hold within seconds, and books that lie."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.local.layout import CHECKOUT, Layout, free_port
from infra.local.sqs import client
from tests.support.waiting import until

pytestmark = pytest.mark.slow

BACK_ON_SALE_SECONDS = 5


class Stack:
    """A stack of its own, asked by its verbs and over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"

    def infra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a verb."""
        command = [sys.executable, "-m", "infra", *words, "--state-dir", str(self.folder)]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)

    def call(self, path: str, body: Any = None) -> Any:
        """GETs, or POSTs a body; the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def reserved(self, event_id: int) -> str:
        """Two tickets that wait for their payment."""
        placed = self.call("/orders", {"eventId": event_id, "quantity": 2, "userId": "ann"})
        until(lambda: self.status(placed["id"]) == "reserved", "the order is reserved")
        return str(placed["id"])

    def status(self, order_id: str) -> str:
        """Where an order stands."""
        return str(self.call(f"/orders/{order_id}")["status"])

    def state(self) -> dict[str, Any]:
        """Where everything is."""
        return Layout.at(self.folder).running_state() or {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    started = stack.infra("up", "--detach", "--port", stack.url.rpartition(":")[2])
    assert started.returncode == 0, started.stderr
    yield stack
    stack.infra("down")


def an_event(stack: Stack, hold_seconds: int) -> int:
    kind = {"name": "Floor", "price": 2500, "capacity": 10}
    body = {"name": "x", "description": "", "ticketTypes": [kind], "holdSeconds": hold_seconds}
    return int(stack.call("/events", body)["id"])


def test_a_payment_confirms_and_a_replay_changes_nothing(stack: Stack) -> None:
    order_id = stack.reserved(an_event(stack, 60))
    for _ in range(2):
        paid = stack.infra("pay", order_id, "--reference", f"r-{order_id}")
        assert paid.stdout.splitlines() == [
            f"payment  r-{order_id}: applied",
            f"order    {order_id}: confirmed",
        ]
    assert "refund-due" in stack.infra("pay", order_id).stdout


def test_a_wrong_amount_is_refused_and_a_wrong_secret_not_taken(stack: Stack) -> None:
    order_id = stack.reserved(an_event(stack, 60))
    assert "refused" in stack.infra("pay", order_id, "--amount", "1").stdout
    stranger = stack.infra("pay", order_id, "--secret", "guessed")
    assert (stranger.returncode, "invalid-signature" in stranger.stderr) == (1, True)
    assert stack.status(order_id) == "reserved"


def test_an_order_that_is_not_there_needs_an_amount(stack: Stack) -> None:
    assert stack.infra("pay", "nobody").returncode == 1
    unmatched = stack.infra("pay", "nobody", "--amount", "5", "--currency", "EUR")
    assert (unmatched.returncode, "unmatched" in unmatched.stdout) == (0, True)


def test_what_is_not_paid_is_back_on_sale_within_seconds(stack: Stack) -> None:
    event_id = an_event(stack, 1)
    order_id = stack.reserved(event_id)

    def free() -> bool:
        left = stack.call(f"/events/{event_id}/availability")["ticketTypes"][0]["available"]
        return bool(left == 10 and stack.status(order_id) == "expired")

    until(free, "the tickets are back on sale", seconds=1 + BACK_ON_SALE_SECONDS)


def test_an_audit_passes_and_notices_what_was_falsified(stack: Stack) -> None:
    event_id = an_event(stack, 60)
    order_id = stack.reserved(event_id)
    stack.infra("pay", order_id)
    passed = stack.infra("audit", str(event_id))
    assert (passed.returncode, passed.stdout.splitlines()[-1]) == (0, "audit passed"), passed.stdout
    with psycopg.connect(stack.state()["postgres"]["dsn"], autocommit=True) as ledger:
        ledger.execute("UPDATE orders SET status = 'cancelled' WHERE id = %s", (order_id,))
    failed = stack.infra("audit", str(event_id), "--settle-seconds", "0", "--json")
    assert failed.returncode == 1
    assert not json.loads(failed.stdout)["passed"]


def test_an_audit_finds_an_order_among_the_dead_letters(stack: Stack) -> None:
    event_id = an_event(stack, 60)
    body = {"orderId": "never answered", "eventId": event_id}
    with closing(client(stack.state()["sqs"]["deadLetterUrl"])) as dead_letters:
        dead_letters.call("SendMessage", {"MessageBody": json.dumps(body)})
    failed = stack.infra("audit", str(event_id))
    assert failed.returncode == 1
    assert "✗ no order without an answer lies among the dead letters: never answered" in failed.stdout


def test_an_event_that_is_not_there_cannot_be_audited(stack: Stack) -> None:
    assert stack.infra("audit", "999").returncode == 2


@pytest.mark.parametrize("words", [("pay", "x"), ("audit", "1")])
def test_without_a_stack_the_sentence_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = Stack(tmp_path).infra(*words)
    assert (result.returncode, "make up" in result.stderr) == (1, True)
