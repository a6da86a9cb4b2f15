"""The twins, with what only time does to the real stores: locks and keys run out, memory is lost.

The queue keeps a message until it is told that it was handled, and hands any of them out again, in any
order. They know no schedule and no promise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from chalicelib.gate.quotas import Claim
from chalicelib.gate.upkeep import LOADING_LOCK_MS
from chalicelib.model import Event, OrderIntent
from tests.fakes.gate import MemoryGate
from tests.simulate.clock import VirtualClock

_COUNTS = ("_terms", "_stock", "_claims", "_waiting", "_late", "_buyers", "_buckets", "_records", "_epoch")
_FORGOTTEN = (*_COUNTS, "_filled_at", "_refilled_at", "_history")


class SimulatedGate(MemoryGate):
    """The gate's twin, whose loading lock runs out, and which can lose its memory."""

    def __init__(self, clock: VirtualClock) -> None:
        """Starts cold."""
        super().__init__()
        self._clock = clock
        self.admitted: set[str] = set()
        """Every order id that it ever made a claim for, which no wiping forgets."""
        self._locked_at: dict[int, int] = {}
        self._saved: dict[str, Any] | None = None

    def admit(self, intent: OrderIntent, *, key_is_new: bool = False) -> Claim:
        """Remembers whom it admitted."""
        claim = super().admit(intent, key_is_new=key_is_new)
        if intent.order_id in claim.decode():  # and not of the order that has the same key
            self.admitted.add(intent.order_id)
        return claim

    def begin_load(self, event_id: int) -> int | None:
        """Takes the lock; one that is older than its life is free."""
        now_ms = self._clock.now_ms
        if self._locked_at.get(event_id, now_ms) + LOADING_LOCK_MS <= now_ms:
            self._loading.discard(event_id)
        epoch = super().begin_load(event_id)
        if epoch is not None:
            self._locked_at[event_id] = now_ms
        return epoch

    def load(
        self, event: Event, epoch: int, *, refilled: bool = False, decided: Collection[str] = ()
    ) -> bool:
        """Fills a cold event; its epoch counts on from the clock, so that none comes twice."""
        cold = event.id not in self._terms
        loaded = super().load(event, epoch, refilled=refilled, decided=decided)
        if loaded and cold:
            self._epoch[event.id] = self._clock.now_ms * 1_000
        return loaded

    def wipe(self) -> None:
        """Forgets everything."""
        for name in (*_FORGOTTEN, "_loading", "_loaded", "_replayed"):
            getattr(self, name).clear()

    def save(self) -> None:
        """Writes its memory down, as Valkey does every so often."""
        self._saved = {name: deepcopy(getattr(self, name)) for name in (*_FORGOTTEN, "_loaded", "_replayed")}

    def restore(self) -> bool:
        """Starts again from what it wrote down last; False when it never has."""
        if self._saved is None:
            return False
        for name, kept in self._saved.items():
            setattr(self, name, deepcopy(kept))
        self._loading.clear()
        for event_id in self._loaded:  # whoever is connected to it again sees that it is another
            self.unload(event_id, f"since {self._clock.now_ms}")
        return True

    def forget_keys(self) -> None:
        """Lets idempotency keys run out."""
        self._records.clear()


class SimulatedQueue:
    """Standard SQS: at least once, in no order."""

    def __init__(self) -> None:
        """Starts empty."""
        self.messages: dict[str, str] = {}
        self.received: Counter[str] = Counter()
        self.dead: list[str] = []
        self.sent = 0

    def send(self, body: str, group: str) -> str:  # noqa: ARG002 - fairness orders nothing
        """Keeps a message; returns its id."""
        self.sent += 1
        message_id = f"m{self.sent}"
        self.messages[message_id] = body
        return message_id

    def receive(self, message_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Hands these messages out as records of an SQS event; they stay until they are deleted."""
        records = []
        for message_id in message_ids:
            self.received[message_id] += 1
            records.append(
                {
                    "messageId": message_id,
                    "receiptHandle": message_id,
                    "body": self.messages[message_id],
                    "attributes": {"ApproximateReceiveCount": str(self.received[message_id])},
                }
            )
        return records

    def delay(self, waits: Sequence[tuple[str, int]]) -> int:  # noqa: ARG002 - a schedule decides what comes when
        """Has heard."""
        return 0

    def bury(self, body: str, attributes: Mapping[str, str], group: str | None = None) -> None:  # noqa: ARG002
        """Moves a copy to the dead letters."""
        self.dead.append(body)
