"""One simulation: the service's own code between the twins, the clock, and what everybody remembers.

Steps are taken one at a time, or one in the middle of another, and the promises checked after each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib import admission
from chalicelib.errors import OnsaleError
from chalicelib.expiry import expire
from chalicelib.fulfilment import fulfil
from chalicelib.gate.upkeep import LOADING_LOCK_MS
from chalicelib.model import Event, EventDraft, OrderPlaced, PaymentNotice, TicketTypeDraft
from chalicelib.reconcile import reconcile
from chalicelib.services import Services
from chalicelib.settings import Settings
from tests.fakes.ledger import MemoryLedger
from tests.simulate.actors import ACTORS
from tests.simulate.clock import VirtualClock
from tests.simulate.customers import report
from tests.simulate.operations import POISON, hand_over
from tests.simulate.promises import Promises, Violation
from tests.simulate.schedule import Sale, Step
from tests.simulate.stores import SimulatedGate, SimulatedQueue
from tests.simulate.wires import Crash, Frame, Wired, WiredLedger, WiredReturns, Wires

_ROUNDS = 3
"""Of recovery: claims are put back on the queue, messages are handled, notices come again."""
_FOR_EVER_MS = 1 << 60
_SETTINGS = {fallback: Settings(gate_fallback="ledger" if fallback else "none") for fallback in (False, True)}


class Parts:
    """What a simulation is made of; negative controls bring worse parts."""

    gate: type[SimulatedGate] = SimulatedGate
    ledger: type[MemoryLedger] = MemoryLedger
    fulfil: Callable[..., dict[str, Any]] = staticmethod(fulfil)
    gate_is_exact: bool = True


class World:
    """Made for one schedule."""

    def __init__(self, sale: Sale, clock: VirtualClock, parts: type[Parts], trace: list[str] | None) -> None:
        """`clock` is set back to noon; `trace` collects a line for each step when it is given."""
        clock.set_back()
        self.clock, self.sale, self.parts = clock, sale, parts
        self.gate, self.ledger, self.queue = parts.gate(clock), parts.ledger(clock.now), SimulatedQueue()
        self.wires = Wires(clock, self.perform)
        self.services = Services(_SETTINGS[sale.fallback], clock.now)
        self.services.__dict__.update(
            gate=Wired("gate", self.gate, self.wires),
            queue=Wired("queue", self.queue, self.wires),
            returns=WiredReturns("queue", self.queue, self.wires),
            ledger=WiredLedger("ledger", self.ledger, self.wires),
        )
        self.events = [self.ledger.create_event(_draft(sale)) for _ in range(sale.events)]
        self.promises = Promises(sale, self.ledger, self.gate)
        self.promises.gate_is_exact = parts.gate_is_exact
        self.told: dict[int, Event] = {}
        """By id: events with the sales state that an operator has switched them to, and the gate knows of."""
        self.orders: list[OrderPlaced] = []
        """Acknowledged."""
        self.acknowledged: dict[tuple[int, str, str], str] = {}
        """By event, buyer and key: the order that the buyer was told of."""
        self.notices: list[PaymentNotice] = []
        self.unheard: dict[str, PaymentNotice] = {}
        """By reference: notices that the provider has to send again."""
        self.intents = 0
        self._checked = -1
        self._trace, self._depth = trace, 0
        if trace is not None:
            self.wires.note = self._note

    def perform(self, step: Step) -> None:
        """Lets somebody take a step, whatever becomes of it, and checks the promises."""
        outer, self.wires.frame = self.wires.frame, Frame(step.faults, self.clock.now_ms)
        self._depth += 1
        try:
            told = ACTORS[step.kind](self, step)
        except Crash:
            told = "crashes"
            self._forget_breakers()
        except OnsaleError as error:
            told = f"{error.code}: {error.detail}"
        finally:
            self.wires.frame = outer
            self._depth -= 1
        if self._trace is not None:
            self._note(f"{step.kind}: {told}")
        self.clock.now_ms += 1
        if self.wires.changes != self._checked:
            self.promises.check()
            self._checked = self.wires.changes

    def recover(self) -> None:
        """Lets everybody go on, without bad luck, until nothing is left to do; then all must be well."""
        self.wires.frame = Frame((), _FOR_EVER_MS)
        self.wires.down.clear()
        self.clock.now_ms += LOADING_LOCK_MS  # of somebody who crashed while filling the gate
        for _ in range(_ROUNDS):
            self._go_on()
            if not any(self.gate._claims.values()) and not self.unheard and not self._readable():
                break
        self.clock.now_ms += 2 * 1000 * self.sale.hold_seconds
        expire(self.services)
        reconcile(self.services)
        self._ask()
        self.promises.check_end()
        if self._readable() or any(body != POISON for body in self.queue.dead):
            raise Violation("no lost order", "a message that could be read was never handled")

    def _go_on(self) -> None:
        self._ask()
        self.clock.now_ms += self.services.settings.claim_overdue_ms
        reconcile(self.services)
        if self.queue.messages:
            hand_over(self, list(self.queue.messages), acknowledge=True)
            self.promises.check()
        for notice in list(self.unheard.values()):
            report(self, notice)
        self.promises.check()

    def _ask(self) -> None:
        """Somebody looks at what is left, which fills a cold gate."""
        for event in self.events:
            admission.availability(self.services, event.id)

    def _readable(self) -> list[str]:
        return [message_id for message_id, body in self.queue.messages.items() if body != POISON]

    def _forget_breakers(self) -> None:
        """What a container knew is gone with it."""
        for name in ("ledger_breaker", "gate_breaker"):
            self.services.__dict__.pop(name, None)

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace.append("    " * self._depth + line)


def _draft(sale: Sale) -> EventDraft:
    return EventDraft(
        name="Concert",
        description="",
        currency="EUR",
        ticket_types=tuple(TicketTypeDraft("Seat", 500, capacity) for capacity in sale.capacities),
        max_per_buyer=sale.max_per_buyer,
        hold_seconds=sale.hold_seconds,
        late_payment=sale.late_payment,
    )
