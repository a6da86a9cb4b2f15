"""What a cold door imports before its first answer: nothing that only another function or a page needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRIVERS = ("psycopg", "valkey", "ssl", "botocore", "chalicelib.aws.client", "chalicelib.ledger.ledger")
OPERATORS = "chalicelib.ops"


def needless(statement: str) -> list[str]:
    """Which of the modules above a fresh interpreter has after `statement`."""
    shown = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    return [name for name in loaded if name in DRIVERS or name.startswith(OPERATORS)]


def test_the_app_is_imported_without_any_driver_and_without_what_operators_do() -> None:
    assert needless("import app") == []


@pytest.mark.parametrize("module", ["chalicelib.aws.cloudwatch", "chalicelib.ops.sale"])
def test_control_a_needless_import_is_seen(module: str) -> None:
    assert needless(f"import app, {module}")
