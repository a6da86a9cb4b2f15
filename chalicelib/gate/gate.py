"""The gate: admits orders, holds their claims, settles them. It never asks the ledger.

Every method on an order's way is one round trip. Every method, those of `upkeep` included, raises
Unavailable("gate") when Valkey does not answer in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from chalicelib.gate import keys
from chalicelib.gate.quotas import Claim, claim_with
from chalicelib.gate.refusals import NotLoaded, refusal
from chalicelib.gate.scripts import Script
from chalicelib.gate.upkeep import Upkeep, answering
from chalicelib.model import MESSAGE_SCHEMA, LookedUp, OrderIntent, OrderPlaced, Stock
from chalicelib.order_ids import accepted_ms, event_of

_KEY_LIFE_MS = keys.KEY_LIFE_SECONDS * 1_000
_ADMIT, _SETTLE = Script("admit"), Script("settle")
_CLAIM, _PENDING = Script("claim"), Script("pending")
_decode = msgspec.json.Decoder(OrderPlaced).decode


class Gate(Upkeep):
    """One Valkey, or one Valkey cluster, behind a client with valkey-py's methods."""

    def admit(self, intent: OrderIntent, *, key_is_new: bool = False) -> Claim:
        """Takes the stock and records the claim, or refuses; all or nothing.

        `key_is_new` says that the ledger was asked for the intent's idempotency key, and does not know it.
        Every asking counts against the rate limits of its buyer and its client, once with `key_is_new`.
        Returns the claim: the JSON of an OrderPlaced. Asking again with the same order id returns the
        same claim; with the same key and request, the claim of the order that has the key. Raises NotLoaded,
        KeyForgotten, Settled, Rejected with the reason, InvalidRequest, or Unavailable.
        """
        event_id = intent.event_id
        where = (*_admission_keys(event_id), *_buckets_of(intent))
        arguments: list[object] = [intent.order_id, event_id, intent.user_id, MESSAGE_SCHEMA]
        if intent.idempotency_key is not None:
            where += (_record_of(intent),)
            arguments += (intent.idempotency_key, intent.request_digest or "-", _KEY_LIFE_MS)
            arguments.append("1" if key_is_new else "")
        for line in intent.wanted:
            arguments += (b"" if line.ticket_type_id is None else line.ticket_type_id, line.quantity)
        with answering():
            answer = _ADMIT(self._client, where, arguments)
        if isinstance(answer, list):
            return claim_with(*answer)
        if answer.startswith(b"{"):
            return Claim(answer)
        raise refusal(answer.decode())

    def settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        """Settles claims by order id: `kept` ones are sold, `returned` ones go back on sale.

        Returns how many claims there were; settling twice changes nothing. Raises Unavailable.
        """
        if not kept and not returned:
            return 0
        with answering():
            return int(_SETTLE(self._client, _settlement_keys(event_id), [len(kept), *kept, *returned]))

    def withdraw(self, intent: OrderIntent) -> bool:
        """Takes back the claim of an order that nobody was told of, and forgets its idempotency key.

        Returns False, and leaves everything, when a request with the same key was shown the claim meanwhile,
        or when there is no such claim.
        """
        where = _settlement_keys(intent.event_id)
        if intent.idempotency_key is not None:
            where += (_record_of(intent),)
        with answering():
            return bool(_SETTLE(self._client, where, [0, intent.order_id]))

    def look_up(self, order_id: str) -> LookedUp:
        """Finds the claim of an order that is not settled yet. Raises ValueError for a malformed id."""
        event_id = event_of(order_id)
        with answering():
            claim, filled_at_ms = _CLAIM(
                self._client, [keys.claims(event_id), keys.terms(event_id)], [order_id]
            )
        return LookedUp(
            None if claim is None else _decode(claim), None if filled_at_ms is None else int(filled_at_ms)
        )

    def pending(self, event_id: int, before: str | None, limit: int) -> list[OrderPlaced]:
        """Lists unsettled orders of an event, newest first, from the one after order id `before` on.

        When `before` was settled meanwhile, its time is where the page begins. Raises NotLoaded when there
        are claims, but some may be of decided orders: fill the event first.
        """
        where = [keys.claims(event_id), keys.waiting(event_id), keys.terms(event_id)]
        cursor = () if before is None else (before, accepted_ms(before))
        with answering():
            claims = _PENDING(self._client, where, [limit, *cursor])
        if claims == b"not-loaded":
            raise NotLoaded
        return [_decode(claim) for claim in claims]

    def availability(self, event_id: int) -> tuple[list[Stock], datetime] | None:
        """Reads what can still be given, by ticket type, and when that was so; None when not loaded.

        A gate that has let in too many has nothing left to give, which is 0 and not less.
        """
        with answering():
            stock = self._client.hgetall(keys.stock(event_id))
        if not stock:
            return None
        given = sorted((int(type_id), int(available)) for type_id, available in stock.items())
        return [Stock(type_id, max(0, available)) for type_id, available in given], datetime.now(UTC)

    def ping(self) -> None:
        """Raises Unavailable unless Valkey answers."""
        with answering():
            self._client.ping()


@lru_cache(1_000)
def _admission_keys(event_id: int) -> tuple[bytes, ...]:
    named = (keys.terms, keys.stock, keys.claims, keys.waiting, keys.buyers)
    return tuple(name(event_id) for name in named)


def _settlement_keys(event_id: int) -> tuple[bytes, ...]:
    named = (keys.stock, keys.claims, keys.waiting, keys.epoch, keys.buyers)
    return tuple(name(event_id) for name in named)


def _buckets_of(intent: OrderIntent) -> tuple[bytes, bytes]:
    event_id = intent.event_id
    return keys.bucket(event_id, "buyer", intent.user_id), keys.bucket(event_id, "client", intent.client)


def _record_of(intent: OrderIntent) -> bytes:
    return keys.record(intent.event_id, intent.user_id, intent.idempotency_key or "")
