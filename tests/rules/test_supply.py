"""What is installed is what the locks name, to the byte; and the security rules of the linter are on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LOCKS = sorted(
    path.with_suffix(".txt") for path in CHECKOUT.glob("**/requirements*.in") if ".venv" not in path.parts
)
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(\[[a-z,]+\])?==([^ ;]+)", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
ADDRESS = re.compile(r"://|--(extra-)?index-url|--trusted-host|--find-links| @ ")


def entries(text: str) -> list[str]:
    """The lock's requirements, each with its hashes in one line."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def weak(text: str) -> list[str]:
    """Requirements that are not pinned by version and hash, or that say where to look."""
    return [
        line for line in entries(text) if not (PIN.match(line) and HASH.search(line)) or ADDRESS.search(line)
    ]


def pins(text: str) -> dict[str, str]:
    """Name -> version; names as PyPA normalises them."""
    found = [PIN.match(line) for line in entries(text)]
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[3] for pin in found if pin}


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_every_requirement_is_pinned_by_its_hash(lock: Path) -> None:
    text = lock.read_text()
    assert entries(text)
    assert weak(text) == []


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_what_people_ask_for_is_what_is_pinned(lock: Path) -> None:
    asked = pins(lock.with_suffix(".in").read_text())
    assert asked
    assert asked.items() <= pins(lock.read_text()).items(), "run `make lock`"


def test_lambda_gets_what_was_tested() -> None:
    tested = pins((CHECKOUT / "requirements-dev.txt").read_text())
    assert pins((CHECKOUT / "requirements.txt").read_text()).items() <= tested.items()


def test_every_installation_asks_for_hashes_and_for_nothing_that_has_to_be_built() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    assert makefile.count("pip install") == 1
    assert makefile.count("$(INSTALL) -r ") == 5
    assert "pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:" in makefile


@pytest.mark.parametrize(
    "line",
    [
        "click==8.5.1",
        "click",
        "click>=8 \\\n    --hash=sha256:" + "0" * 64,
        "click==8.5.1 --hash=md5:0",
        "click @ file:///tmp/click.whl \\\n    --hash=sha256:" + "0" * 64,
        "--extra-index-url https://elsewhere.example/simple",
    ],
)
def test_a_weak_requirement_is_found(line: str) -> None:
    """The negative control."""
    assert len(weak(f"# a lock\n{line}\nmsgspec==0.22.0 \\\n    --hash=sha256:{'1' * 64}\n")) == 1


@pytest.mark.parametrize(
    ("code", "program"),
    [
        ("S102", "exec(input())\n"),
        ("S301", "import pickle\n\npickle.loads(b'')\n"),
        ("S323", "import ssl\n\nssl._create_unverified_context()\n"),
        ("S324", "import hashlib\n\nhashlib.md5(b'')\n"),
        ("S602", "import subprocess\n\nsubprocess.run(input(), shell=True)\n"),
        ("S608", "import sys\n\nQUERY = 'SELECT x FROM y WHERE z = ' + sys.argv[1]\n"),
    ],
)
@pytest.mark.parametrize("room", ["chalicelib", "infra"])
def test_the_linter_finds_what_is_dangerous(room: str, code: str, program: str) -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        f"--stdin-filename={room}/planted.py",
        "-",
    ]
    found = subprocess.run(command, input=program, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert f"{code} " in found.stdout
