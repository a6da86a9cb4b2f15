"""What the gate's contract tests say of whichever gate they are given."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.gate.gate import Gate
from chalicelib.gate.upkeep import GateSurvey
from chalicelib.model import OrderIntent, OrderPlaced
from tests.fakes.gate import MemoryGate
from tests.support.events import an_event

AnyGate = Gate | MemoryGate


def empty_gate(client: Any) -> AnyGate:
    """A gate that knows nothing: over a real server's client, or the twin without one."""
    if client is None:
        return MemoryGate()
    client.flushall()
    return Gate(client)


def filled(gate: AnyGate, *capacities: int, refilled: bool = False, **terms: Any) -> None:
    """Fills event 1 with one ticket type for each capacity."""
    epoch = gate.begin_load(1)
    assert epoch is not None
    assert gate.load(an_event(1, capacities or (10,), **terms), epoch, refilled=refilled)


def admitted(gate: AnyGate, intent: OrderIntent) -> OrderPlaced:
    """The order's claim."""
    return msgspec.json.decode(gate.admit(intent), type=OrderPlaced)


def available(gate: AnyGate, event_id: int = 1) -> list[int]:
    """What the buyers are told that there is, by ticket type."""
    found = gate.availability(event_id)
    assert found is not None
    return [stock.available for stock in found[0]]


def surveyed(gate: AnyGate) -> GateSurvey:
    """Stock and claims of event 1."""
    found = gate.survey(1)
    assert found is not None
    return found
