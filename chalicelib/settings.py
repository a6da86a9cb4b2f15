"""The only reader of the environment. Everything else is handed a frozen `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

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
    log_level: str = "info"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads each field from the variable of the same name in capitals.

    Raises ValueError that names the variable when one cannot be read as its type, and when a stage other
    than `local` has no PAYMENT_SECRET of its own: anybody could confirm orders there.
    """
    given: dict[str, Any] = {
        name: environ[name.upper()] for name in Settings.__struct_fields__ if environ.get(name.upper())
    }
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"environment: {error}") from error
    if settings.stage != "local" and settings.payment_secret.strip() in {"", LOCAL_PAYMENT_SECRET}:
        raise ValueError(f"environment: stage {settings.stage} needs a PAYMENT_SECRET of its own")
    return settings
