"""The only reader of the environment. Everything else is handed a frozen `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

_SECRET_BYTES = 32
"""Of a shared secret for HS256, at least: RFC 7518, section 3.2."""

LOCAL_PAYMENT_SECRET = "local-payment-secret"  # noqa: S105 - it guards nothing but a developer's own machine
"""What signs payments where no secret is given; refused outside the stage `local`."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment decides. Every wait is shorter than the function's own timeout (15 s)."""

    stage: str = "local"
    database_url: str = ""
    valkey_url: str = ""
    order_queue_url: str = ""
    aws_region: str = "us-east-1"
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_session_token: str = ""
    gate_timeout_ms: int = 1_000
    gate_fallback: Literal["none", "ledger"] = "none"
    queue_timeout_ms: int = 2_000
    ledger_timeout_ms: int = 3_000
    ledger_connections: int = 4
    apply_attempts: int = 12
    claim_overdue_ms: int = 60_000
    payment_secret: str = LOCAL_PAYMENT_SECRET
    auth_mode: Literal["open", "jwt"] = "open"
    auth_issuer: str = ""
    auth_audience: str = "onsale"
    auth_jwks_url: str = ""
    auth_secret: str = ""
    auth_roles_claim: str = "roles"
    database_secret_id: str = ""
    """Name or ARN in Secrets Manager, as the next two: the value is read there, again when it is stale."""
    valkey_secret_id: str = ""
    payment_secret_id: str = ""
    aws_endpoint_url_secrets_manager: str = ""
    """The AWS SDKs' own variable, for an emulator or a VPC endpoint; empty: the region's."""
    aws_endpoint_url_cloudwatch: str = ""
    aws_endpoint_url_lambda: str = ""
    """Likewise; on the laptop the stack's own, see infra/local/cloudwatch."""
    dashboard_name: str = "onsale-local"
    """Also what the names of the alarms begin with."""
    fulfilment_mapping_id: str = ""
    """UUID of the mapping between the order queue and its function; empty: it cannot be paused."""
    cors_origins: str = ""
    """Origins whose pages may read answers, parted by commas; `api/cors.py` says which are refused."""
    log_level: str = "info"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads each field from the variable of the same name in capitals.

    Raises ValueError that names the variable when one cannot be read as its type; when a stage other than
    `local` has neither PAYMENT_SECRET_ID nor a PAYMENT_SECRET of its own, since anybody could confirm orders
    there, or would let everybody in; and when tokens are asked for that nobody could verify.
    """
    given: dict[str, Any] = {
        name: environ[name.upper()] for name in Settings.__struct_fields__ if environ.get(name.upper())
    }
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"environment: {error}") from error
    guessable = not settings.payment_secret_id and settings.payment_secret.strip() in {
        "",
        LOCAL_PAYMENT_SECRET,
    }
    if settings.stage != "local" and guessable:
        raise ValueError(f"environment: stage {settings.stage} needs a PAYMENT_SECRET of its own")
    if fault := _identity_fault(settings):
        raise ValueError(f"environment: {fault}")
    return settings


def _identity_fault(settings: Settings) -> str | None:
    """What is wrong with the AUTH_ settings, if anything is."""
    local = settings.stage == "local"
    if settings.auth_mode == "open":
        return (
            None if local else f"AUTH_MODE=open lets everybody in; stage {settings.stage} needs AUTH_MODE=jwt"
        )
    if not settings.auth_issuer or not settings.auth_audience:
        return "AUTH_MODE=jwt needs AUTH_ISSUER and AUTH_AUDIENCE"
    if bool(settings.auth_jwks_url) == bool(settings.auth_secret):
        return "AUTH_MODE=jwt needs one of AUTH_JWKS_URL and (in stage local) AUTH_SECRET"
    if settings.auth_secret:
        if not local:
            return f"AUTH_SECRET is for stage local; stage {settings.stage} needs AUTH_JWKS_URL"
        return (
            None if len(settings.auth_secret.encode()) >= _SECRET_BYTES else "AUTH_SECRET has under 32 bytes"
        )
    return (
        None if is_safe(settings.auth_jwks_url) else "AUTH_JWKS_URL must be https://, or http:// on loopback"
    )


def is_safe(url: str) -> bool:
    """Whether nobody between here and there can read or change what travels: https, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    )
