"""API Gateway's own answers cannot be told from the service's: same codes, same form, same headers."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chalicelib.api.headers import ENCRYPTED
from chalicelib.api.problems import CODES, Problem
from infra.stacks.gateway_responses import gateway_responses

AWS_KNOWS = {
    *("ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE"),
    *("BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN"),
    *("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE"),
    *("MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND"),
    *("THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"),
}
"""The response types of "Gateway response types for API Gateway" in its developer guide."""
SAID: dict[str, Any] = gateway_responses("prod")


def headers(kind: str) -> dict[str, str]:
    said: dict[str, str] = SAID[kind]["ResponseParameters"]["Headers"]
    return said


def body(kind: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(SAID[kind]["ResponseTemplates"]["application/json"])
    return said


def test_every_kind_of_answer_is_ours() -> None:
    assert set(SAID) == AWS_KNOWS


@pytest.mark.parametrize("kind", sorted(AWS_KNOWS))
def test_an_answer_is_a_problem_of_the_table(kind: str) -> None:
    said = msgspec.convert(body(kind), Problem)
    assert (said.status, said.title) == CODES[said.code]
    assert said.status == SAID[kind]["StatusCode"]
    assert headers(kind)["Content-Type"] == "'application/problem+json'"


@pytest.mark.parametrize("kind", sorted(AWS_KNOWS))
def test_an_answer_can_be_found_in_the_log_and_says_when_to_come_again(kind: str) -> None:
    assert headers(kind)["X-Request-Id"] == "context.requestId"
    assert ("Retry-After" in headers(kind)) == (SAID[kind]["StatusCode"] in {429, 503})


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", "route-not-found"),
        ("INVALID_SIGNATURE", "route-not-found"),
        ("DEFAULT_4XX", "route-not-found"),
        ("THROTTLED", "rate-limited"),
        ("WAF_FILTERED", "rate-limited"),
        ("REQUEST_TOO_LARGE", "payload-too-large"),
        ("INTEGRATION_TIMEOUT", "unavailable"),
        ("DEFAULT_5XX", "unavailable"),
    ],
)
def test_what_buyers_can_meet_has_its_own_word(kind: str, code: str) -> None:
    assert body(kind)["code"] == code


def test_no_text_has_what_a_mapping_or_a_template_would_take_for_its_own() -> None:
    for kind in AWS_KNOWS:
        assert "$" not in SAID[kind]["ResponseTemplates"]["application/json"]
        assert all(text.count("'") in {0, 2} for text in headers(kind).values())


def test_only_a_stage_that_is_encrypted_asks_to_be_so_for_years() -> None:
    plain: Any = gateway_responses("local")
    for name in ENCRYPTED:
        assert name in headers("THROTTLED")
        assert name not in plain["THROTTLED"]["ResponseParameters"]["Headers"]
