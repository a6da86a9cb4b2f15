"""Texts that somebody has reviewed: a change of what is made shows as a change of a file.

`RENEW=1` in the environment of pytest writes them anew, to be read in the diff and committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def reviewed(file: Path, text: str) -> None:
    """Fails when `text` is not what the file holds, and says how to renew it."""
    if os.environ.get("RENEW"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return
    known = file.read_text() if file.exists() else ""
    if known != text:
        asked = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
        pytest.fail(
            f"{file.name} is not as reviewed, from line {_first_other(known, text)} on. If that is meant:"
            f" RENEW=1 pytest {asked}, then look at git diff.",
            pytrace=False,
        )


def _first_other(known: str, text: str) -> int:
    pairs = zip(known.splitlines(), text.splitlines(), strict=False)
    same = next((number for number, (old, new) in enumerate(pairs) if old != new), None)
    return 1 + (same if same is not None else min(len(known.splitlines()), len(text.splitlines())))
