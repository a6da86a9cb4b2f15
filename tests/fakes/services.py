"""The whole service in memory, for tests of the edge: twins of the stores, and a queue to look into."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import Unavailable
from chalicelib.queue.dead_letters import DeadLetterQueue
from chalicelib.queue.messages import decode
from chalicelib.redelivery import count_failures
from chalicelib.rules import decide
from chalicelib.services import Services
from chalicelib.settings import Settings
from tests.fakes.cloudwatch import MemoryCloudWatch
from tests.fakes.dead_letter_queue import MemoryPair
from tests.fakes.gate import MemoryGate
from tests.fakes.ledger import MemoryLedger
from tests.fakes.monitoring import MemoryDepths, MemoryMapping


class MemoryQueue:
    """Takes messages and keeps them in `bodies`."""

    def __init__(self) -> None:
        """Starts empty."""
        self.bodies: list[str] = []
        self.groups: list[str] = []

    def send(self, body: str, group: str) -> str:
        """Keeps the message; returns its id."""
        self.bodies.append(body)
        self.groups.append(group)
        return str(len(self.bodies))

    def ping(self) -> None:
        """Always there."""


class Down:
    """Stands for a part that does not answer: every call of it fails."""

    def __init__(self, part: str) -> None:
        """`part` is gate, queue or ledger."""
        self._part = part

    def __getattr__(self, name: str) -> Any:
        """Any method at all."""

        def fail(*_: object, **__: object) -> None:
            raise Unavailable(self._part, "secret-host:5432 refused the connection")

        return fail


class MemoryServices(Services):
    """Services whose parts are twins; assign `Down("gate")` to one to take it away."""

    gate: Any
    queue: Any
    ledger: Any
    depths: Any
    cloudwatch: Any
    fulfilment: Any

    def __init__(self, **settings: Any) -> None:
        """Starts with no event; the clock is the computer's own."""
        super().__init__(Settings(log_level="error", **settings), lambda: datetime.now(UTC))
        self.gate, self.queue, self.ledger = MemoryGate(), MemoryQueue(), MemoryLedger()
        self.depths, self.fulfilment = MemoryDepths(lambda: len(self.queue.bodies)), MemoryMapping()
        self.cloudwatch = MemoryCloudWatch()
        self.pair = MemoryPair(self.queue.send)
        self.__dict__["dead_letters"] = DeadLetterQueue(self.pair)

    def wipe_gate(self) -> None:
        """Lets the gate forget everything, as a Valkey that was replaced."""
        self.gate = MemoryGate()

    def bury(self, *bodies: str, reason: str = "KeyError: 1") -> list[str]:
        """Makes dead letters of messages, as the queue function does; returns their ids, as failed with."""
        made = [f"dead-{len(self.ledger._failed) + place}" for place in range(len(bodies))]
        records = [{"messageId": id_, "body": body} for id_, body in zip(made, bodies, strict=True)]
        count_failures(self, records, dict.fromkeys(made, reason))
        for id_, body in zip(made, bodies, strict=True):
            self.pair.bury(body, id_)
        self.ledger.mark_moved(made, self.clock())
        return made

    def fulfil(self) -> None:
        """Decides every message on the queue in one batch, as the queue function does."""
        batch = [decode(body) for body in self.queue.bodies]
        self.queue.bodies.clear()
        with self.ledger.attempt() as attempt:
            decision = decide(batch, attempt.snapshot(batch), self.clock())
            attempt.record(decision)
        for outcome in decision.outcomes:
            kept, returned = ([outcome.order_id], []) if outcome.kept else ([], [outcome.order_id])
            self.gate.settle(outcome.event_id, kept, returned)
