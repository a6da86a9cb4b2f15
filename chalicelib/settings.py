"""The only reader of the environment. Everything else is handed a frozen `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec


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
    queue_timeout_ms: int = 2_000
    ledger_timeout_ms: int = 3_000
    ledger_connections: int = 4
    apply_attempts: int = 12
    claim_overdue_ms: int = 60_000
    log_level: str = "info"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads each field from the variable of the same name in capitals.

    Raises ValueError that names the variable when one cannot be read as its type.
    """
    given: dict[str, Any] = {
        name: environ[name.upper()] for name in Settings.__struct_fields__ if environ.get(name.upper())
    }
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"environment: {error}") from error
