"""Fulfilment is switched through the API of a deployed stage: Lambda's own mapping stops and goes on."""

from __future__ import annotations

import pytest

from tests.deploy.test_failing_messages import waiting
from tests.e2e.test_fulfilment_switch import (
    switched,
    test_paused_orders_wait_and_resumed_ones_are_decided,
)
from tests.support.deployed import Deployed

__all__ = ["test_paused_orders_wait_and_resumed_ones_are_decided"]

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


def test_the_switch_is_the_mappings_own(stack: Deployed) -> None:
    assert stack.mapping()["State"] == "Enabled"
    switched(stack, "pause", "Disabled")  # type: ignore[arg-type]
    try:
        assert stack.mapping()["State"] == "Disabled"
        assert stack.order(stack.event(), "ada").status == 202
        assert waiting(stack) == 1
    finally:
        switched(stack, "resume", "Enabled")  # type: ignore[arg-type]
    assert stack.mapping()["State"] == "Enabled"
