"""The issuer's keys are read when needed, kept for an hour, and asked for at no forger's pace."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import Unavailable
from chalicelib.identity.keys import KEEP_SECONDS, REFETCH_SECONDS, Jwks, keys_of
from tests.support.tokens import SigningKey, jwks

FIRST, SECOND = SigningKey("RS256"), SigningKey("ES256")


class Issuer:
    """Publishes keys, and counts who asks."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = keys
        self.asked = 0
        self.down = False

    def __call__(self) -> bytes:
        """The document, as it is now."""
        self.asked += 1
        if self.down:
            raise Unavailable("identity", "down")
        return jwks(*self.keys)


def test_keys_are_read_when_first_needed_and_then_kept() -> None:
    issuer = Issuer(FIRST)
    keys = Jwks(issuer)
    assert issuer.asked == 0
    for second in range(100):
        assert keys.key(FIRST.kid, float(second)) is not None
    assert issuer.asked == 1


def test_a_key_decides_its_algorithm() -> None:
    found = keys_of(jwks(FIRST, SECOND))
    assert {kid: key.algorithm for kid, key in found.items()} == {FIRST.kid: "RS256", SECOND.kid: "ES256"}


def test_a_new_key_is_asked_for_when_a_token_names_it() -> None:
    issuer = Issuer(FIRST)
    keys = Jwks(issuer)
    keys.key(FIRST.kid, 0.0)
    issuer.keys = (FIRST, SECOND)
    assert keys.key(SECOND.kid, REFETCH_SECONDS) is not None
    assert keys.key(FIRST.kid, REFETCH_SECONDS) is not None
    assert issuer.asked == 2


def test_names_that_nobody_knows_do_not_make_us_ask_at_their_pace() -> None:
    issuer = Issuer(FIRST)
    keys = Jwks(issuer)
    for number in range(1_000):
        assert keys.key(f"unknown {number}", number * REFETCH_SECONDS / 1_000) is None
    assert issuer.asked == 1


def test_a_key_that_was_withdrawn_is_forgotten_after_an_hour() -> None:
    issuer = Issuer(FIRST)
    keys = Jwks(issuer)
    keys.key(FIRST.kid, 0.0)
    issuer.keys = (SECOND,)
    assert keys.key(FIRST.kid, KEEP_SECONDS) is not None
    assert keys.key(FIRST.kid, KEEP_SECONDS + 1) is None


def test_an_issuer_that_is_down_for_a_while_keeps_nobody_out() -> None:
    issuer = Issuer(FIRST)
    keys = Jwks(issuer)
    keys.key(FIRST.kid, 0.0)
    issuer.down = True
    assert keys.key(FIRST.kid, KEEP_SECONDS + 1) is not None


def test_without_any_keys_nobody_can_be_judged() -> None:
    issuer = Issuer(FIRST)
    issuer.down = True
    keys = Jwks(issuer)
    for second in (0.0, 1.0):
        with pytest.raises(Unavailable):
            keys.key(FIRST.kid, second)
    assert issuer.asked == 1
    issuer.down = False
    assert keys.key(FIRST.kid, REFETCH_SECONDS) is not None


@pytest.mark.parametrize(
    "changes", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct"}, {"kty": None}, {"n": "AQAB"}, {"n": None}]
)
def test_a_key_that_is_not_for_this_is_passed_over(changes: dict[str, Any]) -> None:
    document = msgspec.json.encode({"keys": [FIRST.jwk(**changes), SECOND.jwk()]})
    assert FIRST.kid not in keys_of(document)
    assert SECOND.kid in keys_of(document)


def test_a_short_key_is_passed_over() -> None:
    short = SigningKey("RS256", bits=1024)
    assert short.kid not in keys_of(jwks(short, SECOND))


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b'{"keys": 7}', b'{"keys": [7]}', b"\xff"])
def test_what_is_no_key_document_is_said_to_be_none(document: bytes) -> None:
    with pytest.raises(Unavailable):
        keys_of(document)
