"""`dead-letters` against a running stack that asks for tokens: listed, foreseen, redriven, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from chalicelib.identity.principal import Role
from chalicelib.redelivery import bury, count_failures
from chalicelib.services import Services
from infra.local.issuer import token_if_needed
from tests.support.batches import an_order_of, message_of
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with TemporaryDirectory(prefix="onsale-stack-") as folder:
        guarded = Stack(Path(folder), {"AUTH_MODE": "jwt"})
        with guarded.background() as running:
            yield running


@pytest.fixture(scope="module")
def services(stack: Stack) -> Iterator[Services]:
    services = stack.services()
    yield services
    made: Any = services
    made._queue_client.close()
    made.ledger._connections.close()


def token(stack: Stack, user: str, role: Role) -> str:
    return token_if_needed(stack.state["environment"], user, role)


def event_of(stack: Stack) -> tuple[int, int]:
    bearer = f"Bearer {token(stack, 'olga', Role.ORGANISER)}"
    draft = {"name": "x", "description": "", "totalTickets": 100}
    made = stack.call("POST", "/events", draft, Authorization=bearer).json
    return made["id"], made["ticketTypes"][0]["id"]


def made_dead(services: Services, name: str, bodies: list[str]) -> list[str]:
    records = [{"messageId": f"{name}-{place}", "body": body} for place, body in enumerate(bodies)]
    reasons = {record["messageId"]: f"KeyError: {name}" for record in records}
    count_failures(services, records, reasons)
    services.ledger.mark_moved(bury(services, records, reasons), services.clock())
    return list(reasons)


def said(stack: Stack, *words: str) -> Any:
    result = stack.infra("dead-letters", *words, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_dead_letters_are_found_foreseen_and_redriven(stack: Stack, services: Services) -> None:
    event_id, type_id = event_of(stack)
    orders = [an_order_of(event_id, (type_id, 1), user=user) for user in ("ann", "bob")]
    ids = made_dead(services, "redriven", [message_of(order) for order in orders])
    listed = stack.infra("dead-letters", "ls", "--buyer", "ann")
    assert (listed.returncode, "1 of 1 shown" in listed.stdout, ids[0] in listed.stdout) == (0, True, True)
    assert said(stack, "show", ids[0])["replay"]["verdict"] == "valid"
    assert "KeyError: redriven" in stack.infra("dead-letters", "show", ids[0]).stdout
    dry = stack.infra("dead-letters", "redrive", "--event", str(event_id), "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "would be: 2 valid\n")
    asked = stack.infra("dead-letters", "redrive", "--event", str(event_id))
    assert asked.returncode == 1, "nobody has said yes"
    done = said(stack, "redrive", "--event", str(event_id), "--why", "mended", "--yes")
    assert (done["moved"], done["left"], done["done"]) == (2, 0, True)
    until(lambda: all(services.ledger.order(order.order_id) for order in orders), "both are decided")
    assert said(stack, "ls", "--event", str(event_id), "--state", "dead")["total"] == 0


def test_dead_letters_are_deleted_with_a_reason(stack: Stack, services: Services) -> None:
    event_id, type_id = event_of(stack)
    bodies = [message_of(an_order_of(event_id, (type_id, 1))) for _ in range(3)]
    made_dead(services, "deleted", [*bodies, "\x9b2J{"])
    assert stack.infra("dead-letters", "delete", "--event", str(event_id), "--yes").returncode == 2
    done = said(stack, "delete", "--reason", "KeyError: deleted", "--why", "hopeless", "--yes")
    assert done == {"deleted": 4, "left": 0}
    (unreadable,) = [
        each for each in said(stack, "ls", "--reason", "deleted")["items"] if not each["orderId"]
    ]
    shown = stack.infra("dead-letters", "show", unreadable["messageId"])
    assert ("\x9b" in shown.stdout, "\N{REPLACEMENT CHARACTER}2J{" in shown.stdout) == (False, True)


def test_who_may_only_look_is_told_what_it_takes(stack: Stack) -> None:
    staff = token(stack, "sam", Role.STAFF)
    assert stack.infra("dead-letters", "ls", "--token", staff).returncode == 0
    refused = stack.infra("dead-letters", "redrive", "--all", "--yes", "--token", staff)
    assert (refused.returncode, "takes operator" in refused.stderr) == (1, True)
    unknown = stack.infra("dead-letters", "ls", "--token", "rubbish")
    assert (unknown.returncode, "ONSALE_TOKEN" in unknown.stderr) == (1, True)


@pytest.mark.parametrize(
    "words",
    [("redrive",), ("redrive", "m", "--all"), ("redrive", "m", "--event", "1"), ("delete", "--why", "x")],
)
def test_a_selection_has_to_be_made_in_one_way(stack: Stack, words: tuple[str, ...]) -> None:
    refused = stack.infra("dead-letters", *words, "--yes")
    assert (refused.returncode, "exactly one of these" in refused.stderr) == (2, True)


def test_without_a_service_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    nobody = Stack(tmp_path)
    for words in (("ls",), ("ls", "--url", nobody.url)):
        result = nobody.infra("dead-letters", *words)
        assert (result.returncode, "make up" in result.stderr) == (1, True)
    wrong = nobody.infra("dead-letters", "ls", "--url", "nonsense")
    assert (wrong.returncode, "is not an http or https URL" in wrong.stderr) == (1, True)
