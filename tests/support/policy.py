"""The linter and the policy scan of templates, run as the commands that they are, and what they find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(sys.prefix) / "policy" / "bin"
EXCEPTIONS = Path(__file__).resolve().parents[2] / "infra" / "policy" / "exceptions.toml"


@dataclass(frozen=True, order=True)
class Finding:
    """A check that a resource does not pass."""

    check: str
    resource: str


def excepted(file: Path = EXCEPTIONS) -> dict[Finding, str]:
    """Findings that are left as they are, each with its reason."""
    return {
        Finding(each["check"], resource): each["reason"].strip()
        for each in tomllib.loads(file.read_text())["exception"]
        for resource in each["resources"]
    }


def lint(template: Path) -> list[str]:
    """What cfn-lint says of a template, warnings too. Nothing is downloaded."""
    command = [tool("cfn-lint"), "--non-zero-exit-code", "informational", "--format", "parseable"]
    done = subprocess.run([*command, str(template)], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert bool(done.returncode) == bool(lines), done.stderr[-2_000:]
    return lines


def scan(template: Path) -> set[Finding]:
    """What checkov finds in a template. Nothing is downloaded."""
    command = [tool("checkov"), "--framework", "cloudformation", "--skip-download", "--quiet"]
    command += ["--soft-fail", "--output", "json", "--file", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 0
    return {Finding(each["check_id"], each["resource"]) for each in found["results"]["failed_checks"]}


def tool(name: str) -> str:
    """Where a tool is; the test is skipped without it, but not in CI."""
    found = TOOLS / name
    if not found.exists():
        reason = f"{name} is not installed: make .venv/policy/installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(found)
