"""Fault 1: a buyer presses fifty times. One key is one order, whoever has forgotten what meanwhile."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import valkey

from infra.history.judge import judge
from infra.history.recorder import Recorder
from infra.history.story import tell
from tests.faults.heard import terms_of
from tests.faults.house import House, at_once
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

TIMES = 50


def press(
    stack: Stack, record: Recorder, event_id: int, key: str
) -> list[tuple[int, str, str | None, bytes]]:
    """Sends a request fifty times at once; status, Location, Idempotent-Replayed and body of each answer."""
    body = json.dumps({"eventId": event_id, "quantity": 2, "userId": "ann"}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}

    def once(_: int) -> tuple[int, str, str | None, bytes]:
        request = urllib.request.Request(f"{stack.url}/orders", body, headers)
        number = record.asked("POST", "/orders", body, key)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                told, text = answer.headers, answer.read()
                replayed = told["Idempotent-Replayed"]
                record.told(number, answer.status, text, replayed=replayed is not None)
                return answer.status, told["Location"], replayed, text
        except urllib.error.HTTPError as refusal:
            with refusal:
                text = refusal.read()
                record.told(number, refusal.code, text)
                return refusal.code, "", None, text

    return at_once(TIMES, once, range(TIMES))


def rows(stack: Stack, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.state["postgres"]["dsn"], autocommit=True) as ledger:
        return ledger.execute(statement.encode(), arguments).fetchall()


def press_and_press_again(stack: Stack, record: Recorder) -> int:
    """Before the order is decided, after it, and after the gate has forgotten it; returns the event's id."""
    draft = {"name": "x", "description": "d", "totalTickets": 100, "buyerRateLimit": None}
    made, key = stack.call("POST", "/events", draft).json, uuid4().hex
    event_id = int(made["id"])
    record.event(terms_of(made))
    first = press(stack, record, event_id, key)
    assert {answer[0] for answer in first} == {202}, Counter(first)
    assert len({(where, body) for _, where, _, body in first}) == 1
    assert Counter(replayed for _, _, replayed, _ in first) == {"true": TIMES - 1, None: 1}
    where = first[0][1]
    until(lambda: stack.call("GET", where).json["status"] == "confirmed", "the order is decided")
    for forgotten in (False, True):
        if forgotten:
            with valkey.Valkey.from_url(stack.state["valkey"]["url"]) as gate:
                gate.flushall()
        again = press(stack, record, event_id, key)
        assert set(again) == {(202, where, "true", first[0][3])}
    return event_id


def test_one_key_sent_fifty_times_at_once_is_one_order(stack: Stack, tmp_path: Path) -> None:
    with closing(Recorder("fifty presses", stack.url, stack.state["postgres"]["dsn"])) as record:
        event_id = press_and_press_again(stack, record)
        record.over(None)
        record.write(tmp_path / "history.jsonl")
    story = tell((tmp_path / "history.jsonl").read_bytes().splitlines())
    assert (len(story.requests), len({order_id for _, _, order_id in story.accepted()})) == (3 * TIMES, 1)
    assert judge(story).passed
    assert rows(stack, "SELECT count(*), sum(quantity) FROM orders WHERE event_id = %s", event_id) == [(1, 2)]
    assert rows(stack, "SELECT sold FROM ticket_types WHERE event_id = %s", event_id) == [(2,)]
    audit = stack.infra("audit", str(event_id))
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_a_key_that_the_gate_forgot_between_two_presses_sells_once(house: House) -> None:
    event_id = house.event(100)
    first = house.order(event_id, "ann", Idempotency_Key="k")
    with valkey.Valkey.from_url(house.valkey_url) as gate:
        gate.flushall()
    second = house.order(event_id, "ann", Idempotency_Key="k")
    with house.worker():
        house.until_decided(event_id, {answer.json["id"] for answer in (first, second)})
        house.until_quiet()
    assert sorted(house.statuses(event_id).values()) == ["confirmed", "rejected"]
    assert house.rows("SELECT reason FROM orders WHERE status = 'rejected'") == [("idempotency-key-reused",)]
    house.reconcile()
    assert house.broken(event_id) == []
