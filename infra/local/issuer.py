"""The local stage's own token issuer: one secret in the state directory, and tokens that it signs.

For trying things out and for tests; it must not know any route.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

from chalicelib.identity.principal import Role
from chalicelib.identity.tokens import LocalToken, issue
from infra.local.layout import Layout

ISSUER, AUDIENCE = "urn:onsale:local", "onsale"
_SECRET_BYTES = 32


def settings(layout: Layout) -> dict[str, str]:
    """The AUTH_ settings of a stack that takes these tokens. The secret is made once, for its owner alone."""
    file = layout.root / "auth-secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(_SECRET_BYTES))
    return {
        "AUTH_MODE": "jwt",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_SECRET": file.read_text(),
    }


def token(environment: Mapping[str, str], user: str, roles: Sequence[Role], now: int, ttl: int) -> str:
    """A token for `user` that is good from `now` (seconds since 1970) for `ttl` seconds.

    `environment` has the stack's settings. Raises KeyError when they hold no AUTH_SECRET.
    """
    claims = LocalToken(
        sub=user,
        iss=environment["AUTH_ISSUER"],
        aud=environment["AUTH_AUDIENCE"],
        roles=list(roles),
        iat=now,
        exp=now + ttl,
    )
    return issue(claims, environment["AUTH_SECRET"])


def token_if_needed(environment: Mapping[str, str], user: str, *roles: Role) -> str:
    """A token for an hour from now; empty for a stack that takes none of ours."""
    if "AUTH_SECRET" not in environment:
        return ""
    return token(environment, user, roles, int(time.time()), 3_600)
