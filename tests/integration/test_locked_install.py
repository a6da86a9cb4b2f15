"""pip refuses a package whose bytes are not those that the lock names."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NAME = "onsale_planted-1.0-py3-none-any.whl"


def a_wheel(folder: Path, program: str) -> str:
    """Makes a package that holds `program`; returns the lock's line for it."""
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: onsale-planted\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        wheel.writestr("onsale_planted.py", program)
        for name, text in about.items():
            wheel.writestr(f"onsale_planted-1.0.dist-info/{name}", text)
    return f"onsale-planted==1.0 --hash=sha256:{hashlib.sha256((folder / NAME).read_bytes()).hexdigest()}\n"


def installing(folder: Path, lock: str) -> subprocess.CompletedProcess[str]:
    """Asks pip to install what the lock names from `folder` alone, as far as checking it."""
    (folder / "lock.txt").write_text(lock)
    words = [
        "--dry-run",
        "--no-deps",
        "--no-index",
        "--isolated",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    command = [sys.executable, "-m", "pip", "install", *words, "--find-links", str(folder)]
    return subprocess.run(
        [*command, "-r", str(folder / "lock.txt")], capture_output=True, text=True, check=False, timeout=120
    )


def test_what_the_lock_names_is_installed_and_nothing_else(tmp_path: Path) -> None:
    lock = a_wheel(tmp_path, "good = True\n")
    assert installing(tmp_path, lock).returncode == 0
    a_wheel(tmp_path, "evil = True\n")
    refused = installing(tmp_path, lock)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr


def test_what_has_no_hash_is_not_installed(tmp_path: Path) -> None:
    a_wheel(tmp_path, "good = True\n")
    refused = installing(tmp_path, "onsale-planted==1.0\n")
    assert refused.returncode != 0
    assert "Hashes are required" in refused.stderr
