"""Fixtures of the tests that look at what is deployed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.emulator import running
from tests.support.deployed import Deployed, Held
from tests.support.package import built, task

__all__ = ["built", "task"]


@pytest.fixture(scope="session")
def stack() -> Iterator[Deployed]:
    """One stage on one emulator for the whole folder. Every test leaves it deployed as it found it."""
    # Not below pytest's own folder: each session that starts takes the way through that one from PostgreSQL,
    # which runs as somebody else where tests run as root.
    with tempfile.TemporaryDirectory(prefix="onsale-account-") as folder:
        deployed = Deployed(Path(folder))
        try:
            deployed.deploy()
            # Schedules fire a minute after they are made; other tests pass the time until then.
            deployed.hold()
            yield deployed
        finally:
            running.stop(deployed.state_dir)


@pytest.fixture
def unpaid(stack: Deployed) -> Held:
    """An order for the one ticket of its event that nobody has paid for since the beginning."""
    assert stack.held is not None
    return stack.held
