"""Fixtures of the tests that look at what is deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deployed import Deployed, Held, account
from tests.support.package import built, task

__all__ = ["built", "task"]


@pytest.fixture(scope="session")
def stack() -> Iterator[Deployed]:
    """One stage on one emulator for the whole folder. Every test leaves it deployed as it found it."""
    with account() as folder:
        deployed = Deployed(folder)
        deployed.deploy()
        # Schedules fire a minute after they are made; other tests pass the time until then.
        deployed.hold()
        yield deployed


@pytest.fixture
def unpaid(stack: Deployed) -> Held:
    """An order for the one ticket of its event that nobody has paid for since the beginning."""
    assert stack.held is not None
    return stack.held
