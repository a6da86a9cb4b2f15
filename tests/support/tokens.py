"""Makes an issuer's keys and tokens, good ones and bad ones."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://issuer.example", "onsale"
SECRET = "a secret of the tests that is long enough"
JWT_SETTINGS = {
    "auth_mode": "jwt",
    "auth_issuer": ISSUER,
    "auth_audience": AUDIENCE,
    "auth_secret": SECRET,
}


def claims_of(subject: str, *roles: str, now: float | None = None, **changes: Any) -> dict[str, Any]:
    """Claims that are good for five minutes from `now` (seconds since 1970); None takes one away."""
    moment = time.time() if now is None else now
    claims = {"sub": subject, "iss": ISSUER, "aud": AUDIENCE, "iat": int(moment), "exp": int(moment) + 300}
    if roles:
        claims["roles"] = list(roles)
    return {name: value for name, value in (claims | changes).items() if value is not None}


def local_token(subject: str, *roles: str, **changes: Any) -> str:
    """A token of the local stage."""
    return jwt.encode(claims_of(subject, *roles, **changes), SECRET, "HS256")


@dataclass
class SigningKey:
    """One of an issuer's keys, RSA or P-256."""

    algorithm: str = "RS256"
    kid: str = field(default_factory=lambda: uuid4().hex)
    bits: int = 2048

    def __post_init__(self) -> None:
        self.private: Any = (
            rsa.generate_private_key(65537, self.bits)
            if self.algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public half, as a JWKS document has it."""
        kind: Any = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        public = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm, **changes}

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        """A token that this key has signed."""
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": self.kid, **header})


def jwks(*keys: SigningKey) -> bytes:
    """The document that the issuer publishes."""
    return msgspec.json.encode({"keys": [key.jwk() for key in keys]})
