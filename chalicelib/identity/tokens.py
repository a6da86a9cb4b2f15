"""Verifies bearer tokens (JWT, RFC 7519) in this process, and remembers those that it found good.

Times are judged by the service's clock. It must not know any route, nor how a signature is checked.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from functools import lru_cache
from typing import Any

import jwt
import msgspec

from chalicelib.errors import Rejected
from chalicelib.identity.compact import NotSigned, claims_in
from chalicelib.identity.keys import Keys
from chalicelib.identity.principal import Principal, Role

LONGEST_TOKEN = 4_096
"""Characters. A token with a dozen claims has 800; verifying costs time in its length."""
LONGEST_SUBJECT = 128
"""Characters: a subject is a buyer's `userId`."""
SKEW_SECONDS = 30
"""How far the issuer's clock may be ahead (`nbf`, `iat`); `exp` gets no such grace."""
REMEMBERED = 10_000
"""Good tokens in memory: about 10 MB, and the buyers that one container meets in a minute."""


class Tokens:
    """Thread-safe."""

    def __init__(self, issuer: str, audience: str, keys: Keys, roles_claim: str = "roles") -> None:
        """`issuer` is what `iss` must be, `audience` what `aud` must hold; `roles_claim` has the roles."""
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._roles_claim = roles_claim
        self._known: OrderedDict[str, Principal] = OrderedDict()
        self._lock = threading.Lock()

    def principal(self, token: str, now: float) -> Principal:
        """Who the bearer is. `now` is seconds since 1970.

        Raises Rejected("unauthenticated"), or Unavailable when the issuer's keys cannot be read.
        """
        if known := self._known.get(token):
            if now < known.expires:
                return known
            raise unauthenticated("The token has expired.")
        principal = self._read(self._verified(token, now), now)
        self._remember(token, principal)
        return principal

    def _verified(self, token: str, now: float) -> dict[str, Any]:
        """The claims, once the signature, the issuer and the audience are found good."""
        if len(token) > LONGEST_TOKEN:
            raise unauthenticated("The token is too long.")
        try:
            claims = claims_in(token, self._keys, now)
        except NotSigned:
            raise unauthenticated("The token cannot be verified.") from None
        audiences = claims.get("aud")
        listed = audiences if isinstance(audiences, list) else [audiences]
        if claims.get("iss") != self._issuer or self._audience not in listed:
            raise unauthenticated("The token is not for this service.")
        return claims

    def _read(self, claims: dict[str, Any], now: float) -> Principal:
        """What the claims say of the bearer."""
        expires = _seconds(claims, "exp")
        if now >= expires:
            raise unauthenticated("The token has expired.")
        if any(_seconds(claims, name) > now + SKEW_SECONDS for name in ("nbf", "iat") if name in claims):
            raise unauthenticated("The token is not valid yet.")
        subject = claims.get("sub")
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= LONGEST_SUBJECT
            or not subject.isprintable()
        ):
            raise unauthenticated("The token's subject cannot be a user's id here.")
        return Principal(subject, self._roles(claims), expires)

    def _roles(self, claims: dict[str, Any]) -> frozenset[Role]:
        """Whose token names no role at all is a buyer; names that we do not know mean nothing here."""
        named = claims.get(self._roles_claim)
        if named is None:
            return _roles_of((Role.BUYER,))
        listed = named if isinstance(named, list) else [named]
        return _roles_of(tuple(name for name in listed if isinstance(name, str)))

    def _remember(self, token: str, principal: Principal) -> None:
        with self._lock:
            if len(self._known) >= REMEMBERED:
                self._known.popitem(last=False)
            self._known[token] = principal


class LocalToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token of the local stage says; times in whole seconds since 1970."""

    sub: str
    iss: str
    aud: str
    roles: list[Role]
    iat: int
    exp: int


def issue(claims: LocalToken, secret: str) -> str:
    """Signs a token as the local stage's own issuer (HS256)."""
    return jwt.encode(msgspec.to_builtins(claims), secret, "HS256")


def unauthenticated(detail: str) -> Rejected:
    """The answer to who cannot show who they are."""
    return Rejected("unauthenticated", detail)


@lru_cache(1_000)
def _roles_of(names: tuple[str, ...]) -> frozenset[Role]:
    """The same set for the same names, so that each is there once."""
    return frozenset(role for role in Role if role in names)


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise unauthenticated(f"The token's {name} is no number.")
    return float(value)
