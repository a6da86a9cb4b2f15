"""The gate: admits orders, holds their claims, settles them. It never asks the ledger.

Every method on an order's way is one round trip. Every method raises Unavailable("gate") when Valkey
does not answer in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from valkey.exceptions import ConnectionError as Disconnected
from valkey.exceptions import TimeoutError as TimedOut
from valkey.exceptions import ValkeyError

from chalicelib.errors import Unavailable
from chalicelib.gate import keys
from chalicelib.gate.refusals import refusal
from chalicelib.gate.scripts import Script
from chalicelib.gate.terms import terms_of
from chalicelib.model import MESSAGE_SCHEMA, Event, OrderIntent, OrderPlaced, Stock
from chalicelib.order_ids import accepted_ms, event_of

LOADING_LOCK_MS = 2_000
"""Longest that one filling may take before another tries: a ledger read is a few ms."""

_ADMIT, _SETTLE, _LOAD = Script("admit"), Script("settle"), Script("load")
_CONFIGURE, _OVERDUE = Script("configure"), Script("overdue")
_decode = msgspec.json.Decoder(OrderPlaced).decode


@contextmanager
def _answering() -> Iterator[None]:
    """Translates the client's failures; whether a script had run before the connection broke is not known."""
    try:
        yield
    except (Disconnected, TimedOut) as error:
        raise Unavailable("gate", str(error), ambiguous=True) from error
    except ValkeyError as error:
        raise Unavailable("gate", str(error)) from error


class Gate:
    """One Valkey, or one Valkey cluster, behind a client with valkey-py's methods."""

    def __init__(self, client: Any) -> None:
        """`client` is a valkey.Valkey or valkey.cluster.ValkeyCluster that returns bytes."""
        self._client = client

    def admit(self, intent: OrderIntent) -> bytes:
        """Takes the stock and records the claim, or refuses; all or nothing.

        Returns the claim: the JSON of an OrderPlaced. Asking again with the same order id returns the
        same claim. Raises NotLoaded, Rejected with the reason, InvalidRequest, or Unavailable.
        """
        event_id = intent.event_id
        arguments: list[object] = [intent.order_id, event_id, intent.user_id, MESSAGE_SCHEMA]
        for line in intent.wanted:
            arguments += (b"" if line.ticket_type_id is None else line.ticket_type_id, line.quantity)
        with _answering():
            answer: bytes = _ADMIT(self._client, _admission_keys(event_id), arguments)
        if answer.startswith(b"{"):
            return answer
        raise refusal(answer.decode())

    def settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        """Settles claims by order id: `kept` ones are sold, `returned` ones go back on sale.

        Returns how many claims there were; settling twice changes nothing. Raises Unavailable.
        """
        if not kept and not returned:
            return 0
        where = [keys.stock(event_id), keys.claims(event_id), keys.waiting(event_id), keys.epoch(event_id)]
        with _answering():
            return int(_SETTLE(self._client, where, [len(kept), *kept, *returned]))

    def claim(self, order_id: str) -> OrderPlaced | None:
        """Finds the claim of an order that is not settled yet. Raises ValueError for a malformed id."""
        with _answering():
            claim = self._client.hget(keys.claims(event_of(order_id)), order_id)
        return None if claim is None else _decode(claim)

    def pending(self, event_id: int, before: str | None, limit: int) -> list[OrderPlaced]:
        """Lists unsettled orders of an event, newest first, from the one after order id `before` on.

        Two or three round trips. When `before` was settled meanwhile, its time is where the page begins.
        """
        waiting = keys.waiting(event_id)
        with _answering():
            rank = -1 if before is None else self._client.zrevrank(waiting, before)
            if rank is None:
                newest = f"({accepted_ms(str(before))}"
                ids = self._client.zrevrangebyscore(waiting, newest, "-inf", start=0, num=limit)
            else:
                ids = self._client.zrevrange(waiting, rank + 1, rank + limit)
            claims = self._client.hmget(keys.claims(event_id), ids) if ids else []
        return [_decode(claim) for claim in claims if claim is not None]

    def availability(self, event_id: int) -> tuple[list[Stock], datetime] | None:
        """Reads what can still be given, by ticket type, and when that was so; None when not loaded."""
        with _answering():
            stock = self._client.hgetall(keys.stock(event_id))
        if not stock:
            return None
        given = sorted((int(type_id), int(available)) for type_id, available in stock.items())
        return [Stock(type_id, available) for type_id, available in given], datetime.now(UTC)

    def begin_load(self, event_id: int) -> int | None:
        """Takes the lock to fill a cold event; returns the epoch to load with, None when somebody has it."""
        with _answering():
            if not self._client.set(keys.loading(event_id), b"1", nx=True, px=LOADING_LOCK_MS):
                return None
            return int(self._client.get(keys.epoch(event_id)) or 0)

    def end_load(self, event_id: int) -> None:
        """Gives the lock up without filling: there is no such event, or the ledger is down."""
        with _answering():
            self._client.delete(keys.loading(event_id))

    def load(self, event: Event, epoch: int) -> bool:
        """Fills a cold event from the ledger's view, read after `begin_load` gave `epoch`.

        Returns False when claims were settled or terms changed in between: read the ledger again.
        """
        where = [keys.terms(event.id), keys.stock(event.id), keys.claims(event.id)]
        where += [keys.epoch(event.id), keys.loading(event.id)]
        arguments: list[object] = [epoch, len(event.ticket_types)]
        for ticket_type in event.ticket_types:
            arguments += (ticket_type.id, ticket_type.unsold)
        with _answering():
            self._client.sadd(keys.LOADED, event.id)
            answer: bytes = _LOAD(self._client, where, [*arguments, *terms_of(event)])
        return answer != b"moved"

    def configure(self, event: Event) -> None:
        """Gives a loaded event its new terms; one that is not loaded gets them when it is filled."""
        with _answering():
            _CONFIGURE(
                self._client, [keys.terms(event.id), keys.epoch(event.id)], [event.version, *terms_of(event)]
            )

    def loaded_events(self) -> list[int]:
        """Lists the events that were ever filled, ascending."""
        with _answering():
            return sorted(int(event_id) for event_id in self._client.smembers(keys.LOADED))

    def overdue(self, event_id: int, age_ms: int, limit: int) -> list[bytes]:
        """Hands out at most `limit` claims queued over `age_ms` ago, each once per `age_ms`.

        Returns them as JSON, ready for the queue.
        """
        with _answering():
            found: list[bytes] = _OVERDUE(
                self._client, [keys.claims(event_id), keys.waiting(event_id)], [age_ms, limit]
            )
        return found

    def ping(self) -> None:
        """Raises Unavailable unless Valkey answers."""
        with _answering():
            self._client.ping()


def _admission_keys(event_id: int) -> list[bytes]:
    return [keys.terms(event_id), keys.stock(event_id), keys.claims(event_id), keys.waiting(event_id)]
