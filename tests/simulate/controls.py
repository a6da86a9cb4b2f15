"""Negative controls: three ways to build the service wrong, which the simulator must find out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.errors import Unavailable
from chalicelib.model import OrderIntent, OrderPlaced
from chalicelib.queue.messages import Undecodable, decode
from chalicelib.rules import Decision, StockMove, decide
from chalicelib.services import Services
from tests.fakes.ledger import MemoryLedger
from tests.simulate.stores import SimulatedGate
from tests.simulate.world import Parts

_decode = msgspec.json.Decoder(OrderPlaced).decode


class UnversionedLedger(MemoryLedger):
    """Writes what was decided on an old snapshot as if nothing had changed since; it has no CHECK."""

    def _commit(self, decision: Decision) -> None:
        fresh = tuple(outcome for outcome in decision.outcomes if outcome.order_id not in self._orders)
        types = {kind.id: kind for event in self._events.values() for kind in event.ticket_types}
        sales = tuple(replace(sale, version=types[sale.ticket_type_id].version) for sale in decision.sales)
        tallies = tuple(
            replace(
                tally,
                version=has.version if (has := self._tallies.get((tally.event_id, tally.user_id))) else 0,
            )
            for tally in decision.tallies
        )
        super()._commit(replace(decision, outcomes=fresh, sales=sales, tallies=tallies))

    def _move(self, move: StockMove) -> None:
        for event in self._events.values():
            types = tuple(
                replace(kind, sold=kind.sold + move.sold, reserved=kind.reserved + move.reserved)
                if kind.id == move.ticket_type_id
                else kind
                for kind in event.ticket_types
            )
            self._events[event.id] = replace(event, ticket_types=types)


class BlindGate(SimulatedGate):
    """Gives tickets back for every order it is told of, whether or not it still has the claim."""

    def _settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        gone = [id_ for id_ in returned if id_ not in self._claims.get(event_id, {}) and id_ in self._ever]
        stock = self._stock.get(event_id, {})
        for item in (item for id_ in gone for item in self._ever[id_].items if stock):
            stock[item.ticket_type_id] += item.quantity
        return super()._settle(event_id, kept, returned) + len(gone)

    def _forget(self, event_id: int, order_id: str) -> bytes | None:
        claim = super()._forget(event_id, order_id)
        if claim is not None:
            self._ever[order_id] = _decode(claim)
        return claim

    @property
    def _ever(self) -> dict[str, OrderPlaced]:
        found: dict[str, OrderPlaced] = self.__dict__.setdefault("_settled_claims", {})
        return found


class OpenGate(SimulatedGate):
    """Lets in whoever is within the terms and counts nothing off: the ledger has to decide alone."""

    def _admit(self, intent: OrderIntent, now_ms: int, key_is_new: bool) -> bytes:
        claim = super()._admit(intent, now_ms, key_is_new)
        for item in _decode(claim).items:
            self._stock[intent.event_id][item.ticket_type_id] += item.quantity
        return claim


def settle_first(
    services: Services,
    event: dict[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Fulfils a batch, but settles the claims before the ledger commits."""
    batch: dict[str, OrderPlaced] = {}
    failed = []
    for record in event["Records"]:
        try:
            batch[record["messageId"]] = decode(record["body"])
        except Undecodable:
            failed.append(record["messageId"])
    try:
        with services.ledger.attempt() as attempt:
            decision = decide(list(batch.values()), attempt.snapshot(list(batch.values())), services.clock())
            attempt.record(decision)
            for outcome in decision.outcomes:
                kept, returned = ([outcome.order_id], []) if outcome.kept else ([], [outcome.order_id])
                services.gate.settle(outcome.event_id, kept, returned)
    except Unavailable:
        failed += batch
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


class LedgerAlone(Parts):
    """Not wrong at all: a gate that forgets everything at once may do no harm."""

    gate = OpenGate
    gate_is_exact = False


class NoVersionCheckAlone(LedgerAlone):
    """A ledger that compares no version, and no gate to keep the crowd from it."""

    ledger = UnversionedLedger


class NoVersionCheck(Parts):
    """A ledger that compares no version."""

    ledger = UnversionedLedger


class BlindGiveBack(Parts):
    """A gate that gives back by order id without looking for the claim."""

    gate = BlindGate


class SettleBeforeCommit(Parts):
    """A worker that settles first."""

    fulfil = staticmethod(settle_first)
