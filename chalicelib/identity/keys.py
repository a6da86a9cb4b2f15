"""The keys that tokens are signed with: a shared secret, or the issuer's public keys (a JWKS document).

A key decides its algorithm; the token's header only names the key. It must not know what a token says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from jwt import PyJWK
from jwt.algorithms import Algorithm, ECAlgorithm, HMACAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from chalicelib.errors import Unavailable
from chalicelib.log import log

KEEP_SECONDS = 3_600.0
"""How long keys are used before they are asked for again; issuers announce a new key days before its use."""
REFETCH_SECONDS = 30.0
"""From one asking to the next: tokens that name unknown keys must not make us ask at their pace."""
RSA_BITS = 2_048
"""The least that RFC 7518, section 3.3, allows."""

_VERIFIERS: dict[str, Algorithm] = {
    "HS256": HMACAlgorithm(HMACAlgorithm.SHA256),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
}
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}


class Key(msgspec.Struct, frozen=True):
    """A key as PyJWT takes it, and the one algorithm that it may be used with."""

    algorithm: str
    material: Any

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature over the message is this key's."""
        return _VERIFIERS[self.algorithm].verify(message, self.material, signature)


class Keys(Protocol):
    """Finds the key that a token's header names."""

    def key(self, kid: str | None, now: float) -> Key | None:
        """The key of that id; None when there is none. `now` is seconds since 1970. Raises Unavailable."""


class SharedSecret:
    """One secret for HS256, whatever key a token names: for the local stage alone."""

    def __init__(self, secret: str) -> None:
        """`secret` has at least 32 bytes, says RFC 7518, section 3.2."""
        self._key = Key("HS256", secret.encode())

    def key(self, kid: str | None, now: float) -> Key | None:  # noqa: ARG002 - there is but one
        """The secret."""
        return self._key


class Jwks:
    """The issuer's public keys, kept for an hour, and asked for again when a token names a new one."""

    def __init__(self, fetch: Callable[[], bytes]) -> None:
        """`fetch` brings the JWKS document, or raises Unavailable."""
        self._fetch = fetch
        self._keys: Mapping[str | None, Key] = {}
        self._asked_at = self._read_at = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str | None, now: float) -> Key | None:
        """The key of that id; without an id the only one there is. Raises Unavailable without any keys."""
        if now - self._read_at > KEEP_SECONDS or kid not in self._keys:
            self._refresh(kid, now)
        return self._keys.get(kid)

    def _refresh(self, kid: str | None, now: float) -> None:
        with self._lock:
            stale = now - self._read_at > KEEP_SECONDS
            if now - self._asked_at < REFETCH_SECONDS or not (stale or kid not in self._keys):
                if not self._keys:
                    raise Unavailable("identity", "the issuer's keys could not be read a moment ago")
                return
            self._asked_at = now
            try:
                self._keys, self._read_at = keys_of(self._fetch()), now
            except Unavailable as error:
                # Keys that were good an hour ago are better than nobody being let in.
                log("keys-not-read", "error", cause=error.detail)
                if not self._keys:
                    raise


def keys_of(document: bytes) -> dict[str | None, Key]:
    """Reads a JWKS document: its RSA and P-256 signing keys by id, and under None the only one there is.

    Keys of other kinds are passed over. Raises Unavailable when it is no such document.
    """
    try:
        listed = msgspec.json.decode(document, type=dict[str, Any])["keys"]
        keys = {jwk.get("kid"): found for jwk in listed if (found := _key(jwk)) is not None}
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable("identity", f"no JWKS document: {type(error).__name__}") from None
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _key(jwk: Mapping[str, Any]) -> Key | None:
    algorithm = _ALGORITHMS.get((str(jwk.get("kty")), jwk.get("crv")))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        material = PyJWK(dict(jwk), algorithm).key
    except PyJWTError:
        return None
    return None if algorithm == "RS256" and material.key_size < RSA_BITS else Key(algorithm, material)
