"""A token gets in when its issuer made it, for this service and for now, and no other does."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from random import Random
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.errors import Rejected
from chalicelib.identity.compact import NotSigned, claims_in
from chalicelib.identity.keys import Jwks, SharedSecret
from chalicelib.identity.principal import Principal, Role
from chalicelib.identity.tokens import LONGEST_TOKEN, REMEMBERED, Tokens
from tests.support.tokens import AUDIENCE, ISSUER, SECRET, SigningKey, claims_of, jwks

NOW = 1_800_000_000.0
RSA, EC, STRANGER = SigningKey("RS256"), SigningKey("ES256"), SigningKey("RS256")


def tokens(*keys: SigningKey) -> Tokens:
    document = jwks(*(keys or (RSA, EC)))
    return Tokens(ISSUER, AUDIENCE, Jwks(lambda: document))


def claims(**changes: Any) -> dict[str, Any]:
    return claims_of("ann", "buyer", now=NOW, **changes)


def refused(token: str, service: Tokens | None = None, now: float = NOW) -> str:
    with pytest.raises(Rejected) as caught:
        (service or tokens()).principal(token, now)
    assert caught.value.code == "unauthenticated"
    return caught.value.detail


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_the_issuers_token_says_who_asks(key: SigningKey) -> None:
    found = tokens().principal(key.token(claims(roles=["organiser", "staff"])), NOW)
    assert found == Principal("ann", frozenset({Role.ORGANISER, Role.STAFF}), NOW + 300)


def test_the_local_stage_has_a_secret_for_its_key() -> None:
    service = Tokens(ISSUER, AUDIENCE, SharedSecret(SECRET))
    assert service.principal(jwt.encode(claims(), SECRET, "HS256"), NOW).subject == "ann"


def test_one_key_needs_no_name() -> None:
    token = jwt.encode(claims(), RSA.private, "RS256")
    assert tokens(RSA).principal(token, NOW).subject == "ann"
    assert refused(token, tokens(RSA, STRANGER))


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (None, {Role.BUYER}),
        ([], set()),
        ("operator", {Role.OPERATOR}),
        (["buyer", "admin", 7, None, {}], {Role.BUYER}),
        ({"buyer": True}, set()),
        ("OPERATOR", set()),
    ],
)
def test_only_roles_that_are_named_exactly_count(roles: object, expected: set[Role]) -> None:
    token = RSA.token(claims(roles=roles))
    assert tokens().principal(token, NOW).roles == expected


def test_roles_may_be_in_another_claim() -> None:
    document = jwks(RSA)
    service = Tokens(ISSUER, AUDIENCE, Jwks(lambda: document), "cognito:groups")
    token = RSA.token({**claims(), "cognito:groups": ["staff"]})
    assert service.principal(token, NOW).roles == {Role.STAFF}


def test_an_audience_among_several_is_ours() -> None:
    assert tokens().principal(RSA.token(claims(aud=["other", AUDIENCE])), NOW).subject == "ann"


@pytest.mark.parametrize("name", ["sub", "iss", "aud", "exp"])
def test_a_claim_that_is_needed_must_be_there(name: str) -> None:
    assert refused(RSA.token(claims(**{name: None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": ""},
        {"aud": "other"},
        {"aud": []},
        {"aud": {"onsale": True}},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": "later"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("-inf")},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
        {"nbf": "soon"},
        {"nbf": float("nan")},
        {"sub": ""},
        {"sub": "x" * 129},
        {"sub": "a\nb"},
        {"sub": "a\0b"},
        {"sub": 7},
        {"sub": ["ann"]},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_keeps_its_bearer_out(changes: dict[str, Any]) -> None:
    assert refused(RSA.token(claims(**changes)))


def test_an_issuer_whose_clock_is_ahead_a_little_is_believed() -> None:
    assert tokens().principal(RSA.token(claims(nbf=NOW + 30, iat=NOW + 30)), NOW).subject == "ann"


def test_a_token_that_was_good_is_not_good_for_a_moment_longer_than_it_says() -> None:
    service, token = tokens(), RSA.token(claims(exp=NOW + 10))
    assert service.principal(token, NOW + 9.9).subject == "ann"
    assert refused(token, service, NOW + 10) == "The token has expired."


def forged_with_none() -> str:
    return f"{encoded({'alg': 'none', 'kid': RSA.kid})}.{encoded(claims())}."


def forged_with_the_public_key_as_a_secret() -> str:
    """The classic: HS256 over the RSA key's own text. PyJWT will not make one, so it is made by hand."""
    import hashlib
    import hmac

    secret = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = encoded({"alg": "HS256", "typ": "JWT", "kid": RSA.kid}) + "." + encoded(claims())
    return head + "." + _text(hmac.new(secret, head.encode(), hashlib.sha256).digest())


def encoded(value: object) -> str:
    return _text(msgspec.json.encode(value))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


FORGERIES: dict[str, Callable[[], str]] = {
    "no signature at all": forged_with_none,
    "the public key as a secret": forged_with_the_public_key_as_a_secret,
    "another's key": lambda: STRANGER.token(claims()),
    "another's key under a name of ours": lambda: STRANGER.token(claims(), kid=RSA.kid),
    "a key of ours under another's name": lambda: RSA.token(claims(), kid=STRANGER.kid),
    "a key of ours under the other one's name": lambda: EC.token(claims(), kid=RSA.kid),
    "a key that comes with the token": lambda: STRANGER.token(claims(), jwk=STRANGER.jwk()),
    "a place where keys are said to be": lambda: STRANGER.token(claims(), jku="https://thief.example/keys"),
    "a name that is no text": lambda: f"{encoded({'alg': 'RS256', 'kid': 7})}.{encoded(claims())}.AA",
    "an issuer that is a list": lambda: (
        f"{encoded({'alg': 'RS256', 'kid': RSA.kid})}.{encoded(claims(iss=[ISSUER]))}.AA"
    ),
    "critical rules that nobody knows": lambda: RSA.token(claims(), crit=["b64"], b64=False),
    "the shared secret of the local stage": lambda: jwt.encode(claims(), SECRET, "HS256"),
    "other claims under a good signature": lambda: swapped(RSA.token(claims()), claims(sub="bob")),
    "truncated": lambda: RSA.token(claims())[:-1],
    "two parts": lambda: RSA.token(claims()).rpartition(".")[0],
    "empty": str,
    "dots": lambda: "..",
    "not ASCII": lambda: "é.é.é",
    "too long": lambda: "a" * (LONGEST_TOKEN + 1),
    "nested deep": lambda: _text(b"[" * 2_000) + ".e30.e30",
    "a header that is a list": lambda: _text(b"[]") + ".e30.e30",
}


def swapped(token: str, other: dict[str, Any]) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{encoded(other)}.{signature}"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_does_not_get_in(forgery: str) -> None:
    assert refused(FORGERIES[forgery]())


def test_a_secret_of_the_local_stage_takes_no_other_algorithm() -> None:
    service = Tokens(ISSUER, AUDIENCE, SharedSecret(SECRET))
    assert refused(forged_with_none(), service)
    assert refused(RSA.token(claims()), service)
    assert refused(
        jwt.encode(claims(), SECRET * 2, "HS512"), Tokens(ISSUER, AUDIENCE, SharedSecret(SECRET * 2))
    )


def test_none_of_ten_thousand_mutated_tokens_gets_in() -> None:
    random, service = Random(4), tokens()
    good = [key.token(claims()) for key in (RSA, EC)]
    for _ in range(10_000):
        token = mutated(random.choice(good), random)
        if decoded(token) not in map(decoded, good):
            refused(token, service)


def test_what_gets_in_here_would_get_in_with_pyjwts_own_decoder() -> None:
    random, keys = Random(5), Jwks(lambda: jwks(RSA, EC))
    good = [key.token(claims()) for key in (RSA, EC)]
    for token in [*good, *(mutated(random.choice(good), random) for _ in range(3_000))]:
        try:
            ours = claims_in(token, keys, NOW)
        except NotSigned:
            continue
        key = keys.key(jwt.get_unverified_header(token)["kid"], NOW)
        assert key is not None
        theirs = jwt.decode(
            token,
            key.material,
            [key.algorithm],
            audience=AUDIENCE,
            options={"verify_exp": False, "verify_iat": False},
        )
        assert ours == theirs


def mutated(token: str, random: Random) -> str:
    """One to three small changes: a character changed, removed, doubled, or two swapped."""
    letters = list(token)
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(letters) - 1)
        change = random.randrange(4)
        if change == 0:
            letters[place] = random.choice("ABCabc019-_=.")
        elif change == 1:
            del letters[place]
        elif change == 2:
            letters.insert(place, letters[place])
        else:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def decoded(token: str) -> tuple[bytes | None, ...]:
    """The bytes that a token stands for: base64url has several texts for the same last byte."""
    parts: list[bytes | None] = []
    for part in token.split("."):
        try:
            parts.append(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except ValueError:
            parts.append(None)
    return tuple(parts)


def test_control_a_mutated_token_gets_in_where_signatures_are_not_checked() -> None:
    def careless(token: str) -> object:
        return jwt.decode(token, options={"verify_signature": False})["sub"]

    assert careless(swapped(RSA.token(claims()), claims(sub="bob"))) == "bob"


def test_a_token_is_verified_once_and_then_known() -> None:
    service, token = tokens(), RSA.token(claims())
    service.principal(token, NOW)
    started = time.process_time()
    for _ in range(1_000):
        service.principal(token, NOW)
    assert time.process_time() - started < 0.05  # 50 us each at the most; about 0.3 us in truth


def test_what_is_known_is_bounded() -> None:
    service = Tokens(ISSUER, AUDIENCE, SharedSecret(SECRET))
    for number in range(REMEMBERED + 5):
        service.principal(jwt.encode(claims(sub=str(number)), SECRET, "HS256"), NOW)
    assert len(service._known) == REMEMBERED
