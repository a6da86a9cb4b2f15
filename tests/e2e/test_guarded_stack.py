"""A stack that asks for tokens: it says how to get one, and lets in whom the table lets in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.stack import Answer, Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

DRAFT = {"name": "x", "description": "", "totalTickets": 10, "holdSeconds": 60}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("guarded"), {"AUTH_MODE": "jwt"}).background() as running:
        yield running


def bearer(stack: Stack, *options: str) -> str:
    made = stack.infra("token", *options)
    assert made.returncode == 0, made.stderr
    return f"Bearer {made.stdout.strip()}"


def made(stack: Stack) -> tuple[Answer, str]:
    """An order of ada's, and ada's header."""
    organiser = bearer(stack, "--user", "olga", "--role", "organiser")
    event = stack.call("POST", "/events", DRAFT, Authorization=organiser)
    assert event.status == 201, event
    ada = bearer(stack, "--user", "ada")
    wish = {"eventId": event.json["id"], "quantity": 1}
    return stack.call("POST", "/orders", wish, Authorization=ada), ada


def test_the_welcome_says_how_to_get_in(guarded: Stack) -> None:
    welcome = (guarded.folder / "up.log").read_text()
    assert "infra token --user ada" in welcome
    assert "infra token --user olga --role organiser" in welcome


def test_without_a_token_only_what_is_public_is_there(guarded: Stack) -> None:
    assert guarded.call("GET", "/events").status == 200
    assert guarded.call("POST", "/events", DRAFT).json["code"] == "unauthenticated"
    assert guarded.call("POST", "/orders", {"eventId": 1, "quantity": 1, "userId": "ada"}).status == 401
    assert guarded.call("GET", "/ops/payments").status == 401


def test_a_buyer_with_a_token_buys_and_others_do_not_see_it(guarded: Stack) -> None:
    accepted, ada = made(guarded)
    assert accepted.status == 202
    assert accepted.json["userId"] == "ada"
    where = accepted.headers["location"]
    until(lambda: guarded.call("GET", where, Authorization=ada).json["status"] == "reserved", "it is decided")
    bob = bearer(guarded, "--user", "bob")
    assert guarded.call("GET", where, Authorization=bob).status == 404
    operator = bearer(guarded, "--user", "oona", "--role", "operator")
    assert guarded.call("GET", where, Authorization=operator).json["userId"] == "ada"


def test_the_provider_that_is_played_gets_in_as_well(guarded: Stack) -> None:
    accepted, ada = made(guarded)
    where = accepted.headers["location"]
    until(lambda: guarded.call("GET", where, Authorization=ada).json["status"] == "reserved", "it is decided")
    paid = guarded.infra("pay", accepted.json["id"])
    assert paid.returncode == 0, paid.stderr
    assert "confirmed" in paid.stdout


def test_a_token_of_another_stack_is_no_good(guarded: Stack, stack: Stack) -> None:
    refused = stack.infra("token", "--user", "ada")
    assert refused.returncode == 1
    assert "AUTH_MODE=jwt" in refused.stderr


def test_a_whole_crowd_gets_in_with_tokens_of_its_own(guarded: Stack) -> None:
    played = guarded.infra("rush", "--tickets", "50", "--buyers", "200", "--json")
    assert played.returncode == 0, played.stdout + played.stderr
    result = json.loads(played.stdout)
    assert result["confirmed"] == 50
    assert result["refused"] == {"sold-out": 150}


def test_a_token_says_until_when_it_is_good(guarded: Stack) -> None:
    facts = json.loads(guarded.infra("token", "--user", "ada", "--ttl", "60", "--json").stdout)
    assert facts["roles"] == ["buyer"]
    assert facts["expiresAt"] > 0
