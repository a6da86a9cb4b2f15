"""Finds who signs the calls: the settings' own key, or else what botocore's session chain finds.

On Lambda the key is in the environment, so botocore is never imported there. Elsewhere (a container,
an instance, a profile) botocore renews what it found; this module must not keep a copy of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.aws.sigv4 import Credentials
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings

CredentialSource = Callable[[], Credentials]
"""Asked before every call, so that a renewed key is used at once."""


def credential_source(settings: Settings) -> CredentialSource:
    """Returns the settings' key when there is one, botocore's chain otherwise.

    The source raises Unavailable("queue") when the chain finds nothing or cannot renew a key.
    """
    if not settings.aws_access_key_id:
        return from_session_chain()
    found = Credentials(
        settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token
    )
    return lambda: found


def from_session_chain(session: Any = None) -> CredentialSource:
    """Asks botocore's chain on first use and lets it renew what it found (it locks by itself).

    `session` is a botocore session, a new one when None. Nothing is imported before the first call.
    """
    chain: list[Any] = []

    def ask() -> Credentials:
        if not chain:
            chain.append(_resolve(session))
        return _frozen(chain[0])

    return ask


def _resolve(session: Any) -> Any:
    from botocore.session import Session  # 100 ms that Lambda must not pay

    found = (session or Session()).get_credentials()
    if found is None:
        raise Unavailable("queue", "no AWS credentials in the settings or in botocore's session chain")
    return found


def _frozen(credentials: Any) -> Credentials:
    from botocore.exceptions import BotoCoreError

    try:
        key = credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise Unavailable("queue", f"credentials: {error}") from error
    return Credentials(key.access_key, key.secret_key, key.token or "")
