"""What keeps the gate true to the ledger: fills it, gives it new terms, surveys it, realigns it.

Nothing here is on an order's way. It never asks the ledger: it is handed what the ledger says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from valkey.exceptions import ConnectionError as Disconnected
from valkey.exceptions import TimeoutError as TimedOut
from valkey.exceptions import ValkeyClusterException, ValkeyError

from chalicelib.errors import Unavailable
from chalicelib.gate import keys
from chalicelib.gate.client import transaction
from chalicelib.gate.greeting import unload
from chalicelib.gate.scripts import Script
from chalicelib.gate.terms import terms_of
from chalicelib.model import Event, OrderPlaced
from chalicelib.order_ids import event_of

LOADING_LOCK_MS = 1_000
"""Longest that one filling may take before another tries, which does no harm: a ledger read is a few ms."""

_LOAD, _CONFIGURE, _OVERDUE = Script("load"), Script("configure"), Script("overdue")
_REALIGN, _OLDEST = Script("realign"), Script("oldest")
_decode = msgspec.json.Decoder(OrderPlaced).decode
_decode_all = msgspec.json.Decoder(list[OrderPlaced]).decode


class GateSurvey(msgspec.Struct, frozen=True):
    """What one event has in the gate at one moment."""

    epoch: int
    stock: Mapping[int, int]
    """By ticket type id: what can still be given. Below 0 when the gate has let in too many."""
    claims: Mapping[str, OrderPlaced]
    """By order id: admitted, and not settled."""


@contextmanager
def answering() -> Iterator[None]:
    """Translates the client's failures; whether a script had run before the connection broke is not known."""
    try:
        yield
    except (Disconnected, TimedOut, ValkeyClusterException) as error:
        raise Unavailable("gate", str(error), ambiguous=True) from error
    except ValkeyError as error:
        raise Unavailable("gate", str(error)) from error


class Upkeep:
    """The half of the gate that the reconciler and a cold start need."""

    def __init__(self, client: Any) -> None:
        """`client` is a valkey.Valkey or valkey.cluster.ValkeyCluster that returns bytes."""
        self._client = client

    def begin_load(self, event_id: int) -> int | None:
        """Takes the lock to fill a cold event; returns the epoch to load with, None when somebody has it."""
        with answering():
            if not self._client.set(keys.loading(event_id), b"1", nx=True, px=LOADING_LOCK_MS):
                return None
            return int(self._client.get(keys.epoch(event_id)) or 0)

    def end_load(self, event_id: int) -> None:
        """Gives the lock up without filling: there is no such event, or the ledger is down."""
        with answering():
            self._client.delete(keys.loading(event_id))

    def held(self, event_id: int) -> list[str]:
        """Lists the ids of orders that have a claim; one that has been unloaded may have many."""
        with answering():
            return [order_id.decode() for order_id in self._client.hkeys(keys.claims(event_id))]

    def load(
        self, event: Event, epoch: int, *, refilled: bool = False, decided: Collection[str] = ()
    ) -> bool:
        """Fills a cold event from the ledger's view, read after `begin_load` gave `epoch`.

        `decided` are claims that the ledger had answered in this very view: they go. `refilled` says that
        the ledger has orders of the event: for as long as idempotency keys live, those that are not found
        here may have been forgotten. Returns False when claims were settled or terms changed in between:
        read the ledger again.
        """
        where = [keys.terms(event.id), keys.stock(event.id), keys.claims(event.id), keys.epoch(event.id)]
        where += [keys.loading(event.id), keys.buyers(event.id), keys.waiting(event.id)]
        arguments: list[object] = [epoch, "1" if refilled else "", len(event.ticket_types)]
        for ticket_type in event.ticket_types:
            arguments += (ticket_type.id, ticket_type.unsold)
        terms = terms_of(event)
        with answering():
            self._client.sadd(keys.LOADED, event.id)
            answer: bytes = _LOAD(self._client, where, [*arguments, len(terms), *terms, *decided])
        return answer != b"moved"

    def unload(self, event_id: int, history: str) -> None:
        """Makes an event cold that a server of another `history` may have forgotten some of; its claims stay.

        For as long as idempotency keys live, those that are not found here may have been forgotten.
        """
        with answering():
            unload(self._client, event_id, history.encode())

    def configure(self, event: Event) -> None:
        """Gives a loaded event its new terms; one that is not loaded gets them when it is filled."""
        with answering():
            _CONFIGURE(
                self._client, [keys.terms(event.id), keys.epoch(event.id)], [event.version, *terms_of(event)]
            )

    def loaded_events(self) -> list[int]:
        """Lists the events that were ever filled, ascending."""
        with answering():
            return sorted(int(event_id) for event_id in self._client.smembers(keys.LOADED))

    def overdue(self, event_id: int, age_ms: int, limit: int) -> list[bytes]:
        """Hands out at most `limit` claims queued over `age_ms` ago, each once per `age_ms`.

        Returns them as JSON, ready for the queue.
        """
        with answering():
            found: list[bytes] = _OVERDUE(self._client, _waiting_keys(event_id), [age_ms, limit])
        return found

    def oldest_ms(self, event_id: int) -> int | None:
        """Tells for how long an event's oldest claim has been there, ms, by Valkey's clock; None without.

        From its acceptance on, however often its message was sent again. Costs the same for any number of
        claims. An event that is not loaded may have claims of decided orders.
        """
        with answering():
            found: int | None = _OLDEST(self._client, _waiting_keys(event_id), ())
        return found

    def survey(self, event_id: int) -> GateSurvey | None:
        """Takes down stock and claims of an event as they are at one moment; None when it is not loaded.

        A transaction and no script: a thousand claims take 0.15 ms of the server's time, in Lua 1.1 ms.
        """
        with answering(), transaction(self._client, keys.terms(event_id)) as moment:
            moment.hexists(keys.terms(event_id), "version")
            moment.get(keys.epoch(event_id))
            moment.hgetall(keys.stock(event_id))
            moment.hvals(keys.claims(event_id))
            loaded, epoch, stock, claims = moment.execute()
        if not loaded:
            return None
        return GateSurvey(
            int(epoch or 0),
            {int(type_id): int(available) for type_id, available in stock.items()},
            {claim.order_id: claim for claim in _decode_all(b"[" + b",".join(claims) + b"]")},
        )

    def held_of(self, event_id: int, order_ids: Sequence[str]) -> list[OrderPlaced]:
        """Reads the claims of those of these orders that have one; `order_ids` are all of this event."""
        if not order_ids:
            return []
        with answering():
            claims = self._client.hmget(keys.claims(event_id), order_ids)
        return [_decode(claim) for claim in claims if claim is not None]

    def queued_ms(self, order_id: str) -> int | None:
        """When the message of an unsettled order was last put on the queue, ms since the epoch.

        None when there is no claim. Raises ValueError for a malformed id.
        """
        with answering():
            score = self._client.zscore(keys.waiting(event_of(order_id)), order_id)
        return None if score is None else int(score)

    def realign(
        self, event_id: int, epoch: int, drift: Mapping[int, int], decided: Collection[str] = ()
    ) -> bool:
        """Adds `drift` to the stock, by ticket type id, as computed from the survey that had this `epoch`.

        `decided` are claims that the ledger has answered: they are settled, and give nothing back. What
        buyers have is counted anew from here on. Returns False, and changes nothing, when the epoch is
        another: survey again.
        """
        where = [keys.stock(event_id), keys.claims(event_id), keys.waiting(event_id)]
        where += [keys.epoch(event_id), keys.buyers(event_id)]
        arguments: list[object] = [epoch, len(drift)]
        for type_id, difference in drift.items():
            arguments += (type_id, difference)
        with answering():
            return bool(_REALIGN(self._client, where, [*arguments, *decided]))


def _waiting_keys(event_id: int) -> tuple[bytes, ...]:
    return keys.claims(event_id), keys.waiting(event_id), keys.late(event_id)
