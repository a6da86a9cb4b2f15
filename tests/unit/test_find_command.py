"""`find` at a terminal, against a service that answers as told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.__main__ import main
from tests.support.scripted_server import ScriptedServer, answer

ID = "0197a2b0-0000-7000-8000-000000000001"
MATCH: dict[str, Any] = {
    "orderId": ID,
    "eventId": 7,
    "userId": "ann",
    "status": "confirmed",
    "acceptedAt": "2026-06-01T12:00:00Z",
    "places": ["ledger"],
    "messageId": None,
    "matched": "buyer",
}
UNREADABLE = MATCH | {"orderId": None, "userId": None, "messageId": "m-1"}
STORY = {
    "orderId": ID,
    "eventId": 7,
    "userId": "ann",
    "status": "confirmed",
    "entries": [{"at": MATCH["acceptedAt"], "what": "accepted", "detail": "let in", "source": "gate"}],
}


def found(*items: object, truncated: bool = False) -> bytes:
    return answer(200, json.dumps({"items": items, "truncated": truncated}).encode())


TOLD = answer(200, json.dumps(STORY).encode())


def run(server: ScriptedServer, *arguments: str) -> Result:
    url = server.queue_url.removesuffix("/000000000000/orders")
    return CliRunner().invoke(main, ["find", "--url", url, "--token", "t", *arguments])


def paths(server: ScriptedServer) -> list[str]:
    return [request.split(b" ")[1].decode() for request in server.requests]


def test_one_order_is_shown_with_its_story() -> None:
    with ScriptedServer([found(MATCH), TOLD]) as server:
        result = run(server, "ann & co", "--event", "7")
    assert result.exit_code == 0, result.output
    assert paths(server) == ["/ops/find?q=ann+%26+co&eventId=7", f"/ops/orders/{ID}/timeline"]
    assert all(b"Authorization: Bearer t" in request for request in server.requests)
    assert f"order {ID} of event 7, buyer ann: confirmed" in result.output
    assert "accepted" in result.output


@pytest.mark.parametrize("items", [[MATCH, MATCH], [UNREADABLE]])
def test_without_one_order_there_is_no_story(items: list[object]) -> None:
    with ScriptedServer([found(*items, truncated=True)]) as server:
        result = run(server, "ann")
    assert result.exit_code == 0, result.output
    assert len(server.requests) == 1
    assert "There may be more" in result.output


def test_nothing_found_is_said_and_is_no_success() -> None:
    with ScriptedServer([found()]) as server:
        result = run(server, "eve")
    assert (result.exit_code, result.output) == (1, "No order is known by 'eve'.\n")


def test_for_programs_there_is_one_object() -> None:
    with ScriptedServer([found(MATCH), TOLD, found()]) as server:
        one, none = run(server, "ann", "--json"), run(server, "eve", "--json")
    assert json.loads(one.output) == {"items": [MATCH], "truncated": False, "timeline": STORY}
    assert json.loads(none.output) == {"items": [], "truncated": False, "timeline": None}
    assert (one.exit_code, none.exit_code) == (0, 1)


def test_a_refusal_is_told_in_the_services_words() -> None:
    refused = answer(503, b'{"detail": "Try again shortly."}')
    with ScriptedServer([refused]) as server:
        result = run(server, "ann")
    assert result.exit_code == 1
    assert "Try again shortly." in result.output
