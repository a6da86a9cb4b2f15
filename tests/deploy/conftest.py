"""Fixtures of the tests that look at what is deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.emulator import running
from tests.support.deployed import Deployed, Held
from tests.support.package import built, task

__all__ = ["built", "task"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """One stage on one emulator for the whole folder. Every test leaves it deployed as it found it."""
    deployed = Deployed(tmp_path_factory.mktemp("account"))
    try:
        deployed.deploy()
        # The schedule fires a minute after its creation; nobody has to wait who has other tests meanwhile.
        deployed.hold()
        yield deployed
    finally:
        running.stop(deployed.state_dir)


@pytest.fixture
def unpaid(stack: Deployed) -> Held:
    """An order for the one ticket of its event that nobody has paid for since the beginning."""
    assert stack.held is not None
    return stack.held
