"""The embedded emulator of AWS (ministack): what to run. It knows no stack and no stage.

It is the program whose SQS `up` uses, here with all its services, in the same environment (.venv/emulator).
Functions run as processes of its own interpreter, from the unpacked zip, and inherit its variables: so it is
given none of this shell's, and what a template does not set is not set. What it knows is written below the
state directory when it stops, and read when it starts.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.local import sqs
from infra.local.children import Part
from infra.local.layout import CHECKOUT, LOOPBACK

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""Of the shell's variables: what a process needs to run at all."""
EXECUTIONS = 24
"""Function processes that may work at once, of all functions; each has some 60 MB."""
IDLE_SECONDS = 150
"""After so long an idle process ends; longer than the minute between two calls of a schedule."""


def part(data: Path, port: int) -> Part:
    """The emulator on loopback `port`, its state below `data`. Raises FileNotFoundError when absent."""
    granian = ["-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--workers", "1", "--no-ws"]
    address = ["--host", LOOPBACK, "--port", str(port), "--log-level", "warning"]
    tidy(data)
    _unpacked(data).mkdir(parents=True)
    variables = [f"{name}={value}" for name, value in _environment(data, port).items()]
    return Part(
        name="aws",
        command=[
            "env",
            "-i",
            *variables,
            str(sqs.interpreter()),
            *granian,
            *address,
            "infra.emulator.served:app",
        ],
        ready=lambda: sqs.answers(port),
    )


def tidy(data: Path) -> None:
    """Removes what functions were unpacked to, 50 MB each; a process that is killed leaves it behind."""
    shutil.rmtree(_unpacked(data), ignore_errors=True)


def url(port: int) -> str:
    """The endpoint of every service."""
    return f"http://{LOOPBACK}:{port}"


def _unpacked(data: Path) -> Path:
    return data / "unpacked"


def _environment(data: Path, port: int) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **sqs.CREDENTIALS,
        "PYTHONPATH": str(CHECKOUT),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "TMPDIR": str(_unpacked(data)),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(data),
        "S3_DATA_DIR": str(data / "s3"),
        "LOG_LEVEL": "WARNING",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(EXECUTIONS),
        "LAMBDA_WARM_TTL_SECONDS": str(IDLE_SECONDS),
        # Services that would open ports or look for Docker, none of them ours.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }
