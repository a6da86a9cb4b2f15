"""A short run of every check as every role: no 5xx, no undocumented answer, no other shape than promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.run import NOBODY, ROLES, furnish, fuzz
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

SECONDS = 5


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("fuzzed"), {"AUTH_MODE": "jwt"}).background() as running:
        furnish(running)
        yield running


@pytest.mark.parametrize("role", ROLES)
def test_no_generated_request_breaks_the_contract(guarded: Stack, role: str) -> None:
    found = fuzz(guarded, role, SECONDS)
    assert found.passed, found.said


def test_control_an_answer_that_is_not_in_the_document_is_found(guarded: Stack, tmp_path: Path) -> None:
    document = guarded.call("GET", "/openapi.json").json
    asked = document["paths"]["/events/{eventId}"]["get"]
    del asked["responses"]["404"]
    document["paths"] = {"/events/{eventId}": {"get": asked}}  # however many calls there are, seconds are few
    changed = tmp_path / "openapi.json"
    changed.write_text(json.dumps(document))
    found = fuzz(guarded, NOBODY, 2 * SECONDS, document=str(changed))
    assert not found.passed
    assert "Undocumented status code" in found.said
