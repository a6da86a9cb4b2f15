"""Runs schemathesis against one stack as one role, and says what it found."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from chalicelib.identity.principal import Role
from infra.local import issuer
from tests.support.stack import Stack

HERE = Path(__file__).resolve().parent
NOBODY = "nobody"
ROLES = (NOBODY, *(role.value for role in Role))
GRACE_SECONDS = 120
"""Reading the document, and shrinking what was found at the end."""


@dataclass(frozen=True)
class Found:
    """What a run said; `passed` when no check failed."""

    role: str
    passed: bool
    said: str


def furnish(stack: Stack) -> None:
    """Makes an event and an order, so that there is something to be found."""
    draft: dict[str, object] = {
        "name": "Fuzzed",
        "description": "",
        "totalTickets": 1_000_000,
        "holdSeconds": 600,
    }
    draft |= {"buyerRateLimit": None, "clientRateLimit": None, "maxCancellations": None}
    made = stack.call("POST", "/events", draft, Authorization=_bearer(stack, "organiser"))
    wish = {"eventId": made.json["id"], "quantity": 1}
    accepted = stack.call("POST", "/orders", wish, Authorization=_bearer(stack, "buyer"))
    assert accepted.status == 202, accepted


def fuzz(stack: Stack, role: str, seconds: int, document: str = "") -> Found:
    """Spends so many seconds on every route, as somebody with this role alone, or as nobody.

    `document` is the contract to hold the stack to; by default the one that it serves.
    """
    command = [str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", document or f"{stack.url}/openapi.json", "--url", stack.url]
    command += ["--checks", "all", "--max-time", str(seconds), "--no-color"]
    if role != NOBODY:
        command += ["--header", f"Authorization: {_bearer(stack, role)}"]
    done = subprocess.run(
        command,
        cwd=stack.folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.fuzz.signing",
            "PYTHONPATH": str(HERE.parents[1]),
            "PAYMENT_SECRET": stack.services().settings.payment_secret,
        },
        capture_output=True,
        text=True,
        timeout=seconds + GRACE_SECONDS,
        check=False,
    )
    return Found(role, done.returncode == 0, done.stdout + done.stderr)


def _bearer(stack: Stack, role: str) -> str:
    return f"Bearer {issuer.token_if_needed(stack.state['environment'], f'fuzz-{role}', Role(role))}"
