"""The settings of a stage, from infra/stacks/stages.toml: each with its bounds. Knows no account.

A setting whose CamelCase name a template declares as a parameter is given to it; see `plan.py`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

FILE = Path(__file__).resolve().parents[1] / "stacks" / "stages.toml"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,15}")
"""Short, for it is part of names that AWS limits to 63 letters."""
_DAYS = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
"""What CloudWatch Logs takes as a retention."""

Email = Annotated[str, Meta(pattern=r"^([^@\s]+@[^@\s]+)?$")]


class BadStage(ValueError):
    """A stage that is not there, or whose settings are wrong. The message says which and what to do."""


class StageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one stage decides for itself."""

    protected: bool
    """`destroy` refuses, and its stacks have termination protection."""
    architecture: Literal["x86_64", "arm64"]
    auth_issuer: str
    """The `iss` of the tokens, and the address of the keys that sign them; needed on AWS."""
    auth_jwks_url: Annotated[str, Meta(pattern=r"^(https://\S+)?$")]
    auth_audience: Annotated[str, Meta(min_length=1)]
    cors_origins: str
    """Origins whose pages may read answers, parted by commas."""
    alarm_email: Email
    """Who hears of alarms; empty: nobody is subscribed."""
    minimum_acu: Annotated[float, Meta(ge=0.5, le=256)]
    """Aurora Serverless v2 capacity units; at zero it would sleep, and wake 15 s into a sale."""
    maximum_acu: Annotated[float, Meta(ge=1, le=256)]
    ecpu_minimum: Annotated[int, Meta(ge=0, le=15_000_000)]
    """ElastiCache Processing Units a second that are paid for always; 0: none, or from 1,000."""
    ecpu_maximum: Annotated[int, Meta(ge=1_000, le=15_000_000)]
    valkey_maximum_gb: Annotated[int, Meta(ge=1, le=5_000)]
    nat_gateways: Literal[0, 1, 2]
    """0 only where the keys of `auth_jwks_url` are reached without the internet."""
    vpc_cidr: Annotated[str, Meta(pattern=r"^(\d{1,3}\.){3}\d{1,3}/16$")]
    door_memory_mb: Annotated[int, Meta(ge=128, le=10_240)]
    """1,769 MB are one whole vCPU (Lambda guide, "Configure memory")."""
    worker_memory_mb: Annotated[int, Meta(ge=128, le=10_240)]
    door_reserved_concurrency: Annotated[int, Meta(ge=0, le=100_000)]
    """Environments that are the door's alone, and the most it gets; 0: it shares the account's."""
    fulfil_maximum_concurrency: Annotated[int, Meta(ge=2, le=1_000)]
    requests_per_second: Annotated[int, Meta(ge=1, le=10_000)]
    """API Gateway's throttle, and the burst it lets through above it."""
    burst: Annotated[int, Meta(ge=1, le=5_000)]
    waf_requests_per_5_minutes: Annotated[int, Meta(ge=10, le=2_000_000_000)]
    """Of one address, before the firewall turns it away."""
    log_retention_days: _DAYS
    payment_secret_arn: Annotated[str, Meta(pattern=r"^(arn:\S+)?$")]
    """A secret that the payment provider gave; empty: the foundation makes one."""
    log_level: Literal["debug", "info", "warning", "error"]
    tracing: Literal["Active", "PassThrough"]
    """Of X-Ray."""
    domain_name: str
    """The API's own, with a certificate in ACM in the same region; empty: API Gateway's."""
    certificate_arn: Annotated[str, Meta(pattern=r"^(arn:\S+)?$")]


def stage_settings(stage: str, file: Path = FILE) -> StageSettings:
    """The settings of `stage`, its own before the default's. Raises BadStage."""
    tables = _tables(file)
    if not _NAME.fullmatch(stage):
        raise BadStage(
            f"A stage's name has up to 16 letters a-z, digits and hyphens, a letter first; not {stage!r}."
        )
    if stage in {"default", "local"}:
        raise BadStage(f"No stage is called {stage}: it is {_RESERVED[stage]}. Choose another name.")
    if stage not in tables:
        known = ", ".join(sorted(set(tables) - {"default"}))
        raise BadStage(
            f"There is no stage {stage} in {file.name}, only {known}. Add a table [{stage}] there."
        )
    try:
        settings = msgspec.convert({**tables.get("default", {}), **tables[stage]}, StageSettings)
    except msgspec.ValidationError as error:
        raise BadStage(f"{file.name}, stage {stage}: {_sentence(error)}") from error
    if fault := _contradiction(settings):
        raise BadStage(f"{file.name}, stage {stage}: {fault}")
    return settings


def missing_on_aws(settings: StageSettings) -> list[str]:
    """The names of the settings that a stage on AWS cannot do without, and has not."""
    return [name for name in ("auth_issuer", "auth_jwks_url") if not getattr(settings, name)]


_RESERVED = {
    "default": "the table that others differ from",
    "local": "what a laptop runs, where nobody is asked who they are",
}


def _tables(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadStage(f"{file.name} is not TOML: {error}") from error


def _sentence(error: msgspec.ValidationError) -> str:
    said = str(error)
    unknown = re.search(r"unknown field `(\w+)`", said)
    return f"there is no setting {unknown[1]}; infra/deploy/stage.py lists them" if unknown else said


def _contradiction(settings: StageSettings) -> str | None:
    if settings.minimum_acu > settings.maximum_acu:
        return f"minimum_acu {settings.minimum_acu:g} is above maximum_acu {settings.maximum_acu:g}"
    if settings.ecpu_minimum > settings.ecpu_maximum:
        return f"ecpu_minimum {settings.ecpu_minimum} is above ecpu_maximum {settings.ecpu_maximum}"
    if bool(settings.domain_name) != bool(settings.certificate_arn):
        return "domain_name and certificate_arn go together: give both, or neither"
    if 0 < settings.ecpu_minimum < 1_000:
        return f"ecpu_minimum {settings.ecpu_minimum} is neither 0 nor 1,000 and more"
    return None
