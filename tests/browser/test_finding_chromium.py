"""A machine without Chromium skips these tests, and says so; CI must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chromium import NAMES, chromium


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)


def test_a_machine_without_chromium_has_none() -> None:
    assert chromium() is None


def test_ci_without_chromium_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="skipped unseen"):
        chromium()


@pytest.mark.parametrize("name", NAMES)
def test_chromium_is_found_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch(mode=0o755)
    assert chromium() == str(tmp_path / name)
