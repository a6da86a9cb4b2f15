"""The gate's twin in memory: same interface, same answers. The contract tests hold it to that."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from chalicelib.gate.keys import KEY_LIFE_SECONDS
from chalicelib.gate.quotas import Claim, claim_with
from chalicelib.gate.refusals import NotLoaded, refusal
from chalicelib.gate.terms import terms_of
from chalicelib.gate.upkeep import GateSurvey
from chalicelib.model import MESSAGE_SCHEMA, Event, Item, LookedUp, OrderIntent, OrderPlaced, Stock
from chalicelib.order_ids import accepted_ms, event_of
from tests.fakes.buckets import Buckets


class MemoryGate:
    """Keeps what the Lua scripts keep in Valkey, under one lock. What expires there stays here."""

    def __init__(self) -> None:
        """Starts cold."""
        self._lock = threading.Lock()
        self._terms: dict[int, dict[str, str]] = {}
        self._stock: dict[int, dict[int, int]] = {}
        self._claims: dict[int, dict[str, bytes]] = {}
        self._waiting: dict[int, dict[str, int]] = {}
        self._late: dict[int, dict[str, int]] = {}
        self._buyers: dict[int, dict[str, int]] = {}
        self._records: dict[tuple[int, str, str], tuple[str, str | None]] = {}
        self._replayed: set[str] = set()
        self._buckets = Buckets()
        self._epoch: dict[int, int] = {}
        self._filled_at: dict[int, int] = {}
        self._refilled_at: dict[int, int] = {}
        self._history: dict[int, str] = {}
        self._loading: set[int] = set()
        self._loaded: set[int] = set()

    def admit(self, intent: OrderIntent, *, key_is_new: bool = False) -> Claim:
        """Takes the stock and records the claim, or refuses; all or nothing."""
        with self._lock:
            if not key_is_new:
                self._take(intent)
            held = self._replay(intent) or self._claims.get(intent.event_id, {}).get(intent.order_id)
            return (
                Claim(held)
                if held
                else self._counted(self._admit(intent, _now_ms(), key_is_new), intent, key_is_new)
            )

    def settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        """Settles claims by order id; returns how many there were."""
        if not kept and not returned:
            return 0
        with self._lock:
            return self._settle(event_id, kept, returned)

    def withdraw(self, intent: OrderIntent) -> bool:
        """Takes back a claim that nobody was told of, with its key."""
        with self._lock:
            record = self._records.get(_owner(intent))
            if record is not None and record[0] == intent.order_id:
                if intent.order_id in self._replayed:
                    return False
                del self._records[_owner(intent)]
            return self._settle(intent.event_id, [], [intent.order_id]) > 0

    def look_up(self, order_id: str) -> LookedUp:
        """Finds the claim of an order that is not settled yet."""
        event_id = event_of(order_id)
        claim = self._claims.get(event_id, {}).get(order_id)
        return LookedUp(None if claim is None else _decode(claim), self._filled_at.get(event_id))

    def pending(self, event_id: int, before: str | None, limit: int) -> list[OrderPlaced]:
        """Lists unsettled orders of an event, newest first."""
        waiting = sorted(
            self._waiting.get(event_id, {}).items(), key=lambda pair: (pair[1], pair[0]), reverse=True
        )
        ids = [order_id for order_id, _ in waiting]
        if before in ids:
            ids = ids[ids.index(before) + 1 :]
        elif before is not None:
            ids = [order_id for order_id, at in waiting if at < accepted_ms(before)]
        if ids[:limit] and event_id not in self._terms:
            raise NotLoaded
        return [_decode(self._claims[event_id][order_id]) for order_id in ids[:limit]]

    def availability(self, event_id: int) -> tuple[list[Stock], datetime] | None:
        """Reads what can still be given, by ticket type; None when not loaded."""
        stock = self._stock.get(event_id)
        if not stock:
            return None
        return [Stock(type_id, max(0, left)) for type_id, left in sorted(stock.items())], datetime.now(UTC)

    def begin_load(self, event_id: int) -> int | None:
        """Takes the lock to fill a cold event; None when taken."""
        with self._lock:
            if event_id in self._loading:
                return None
            self._loading.add(event_id)
            return self._epoch.get(event_id, 0)

    def end_load(self, event_id: int) -> None:
        """Gives the lock up without filling."""
        with self._lock:
            self._loading.discard(event_id)

    def held(self, event_id: int) -> list[str]:
        """Lists the ids of orders that have a claim."""
        return list(self._claims.get(event_id, {}))

    def load(
        self, event: Event, epoch: int, *, refilled: bool = False, decided: Collection[str] = ()
    ) -> bool:
        """Fills a cold event; False when the epoch moved since `begin_load`."""
        with self._lock:
            self._loading.discard(event.id)
            self._loaded.add(event.id)
            if event.id in self._terms:
                return True
            if self._epoch.get(event.id, 0) != epoch:
                return False
            for order_id in decided:
                self._forget(event.id, order_id)
            stock = {ticket_type.id: ticket_type.unsold for ticket_type in event.ticket_types}
            for claim in self._claims.get(event.id, {}).values():
                for item in _decode(claim).items:
                    stock[item.ticket_type_id] -= item.quantity
            self._stock[event.id] = stock
            self._buyers.pop(event.id, None)
            self._terms[event.id] = _hash(event)
            self._filled_at[event.id] = _now_ms()
            self._history.setdefault(event.id, "the first")
            if refilled:
                self._refilled_at[event.id] = _now_ms()
            self._epoch[event.id] = epoch + 1
            return True

    def unload(self, event_id: int, history: str) -> None:
        """Makes an event cold, once for each `history`; its claims and keys stay."""
        with self._lock:
            if self._history.get(event_id) == history:
                return
            for memory in (self._terms, self._stock, self._buyers, self._filled_at):
                memory.pop(event_id, None)
            self._history[event_id] = history
            self._refilled_at[event_id] = _now_ms()
            self._epoch[event_id] = max(self._epoch.get(event_id, 0), _now_ms() * 1_000) + 1

    def configure(self, event: Event) -> None:
        """Gives a loaded event new terms, unless it has newer ones."""
        with self._lock:
            terms = self._terms.get(event.id)
            if terms is None:
                self._epoch[event.id] = self._epoch.get(event.id, 0) + 1
            elif int(terms["version"]) < event.version:
                terms.update(_hash(event))
                self._epoch[event.id] = self._epoch.get(event.id, 0) + 1

    def loaded_events(self) -> list[int]:
        """Lists the events that were ever filled."""
        return sorted(self._loaded)

    def overdue(self, event_id: int, age_ms: int, limit: int) -> list[bytes]:
        """Hands out claims that have waited too long, oldest first, each once per `age_ms`."""
        with self._lock:
            now, waiting = _now_ms(), self._waiting.get(event_id, {})
            late = sorted((at, order_id) for order_id, at in waiting.items() if at <= now - age_ms)[:limit]
            for at, order_id in late:
                self._late.setdefault(event_id, {}).setdefault(order_id, at)
                waiting[order_id] = now
            return [self._claims[event_id][order_id] for _, order_id in late]

    def oldest_ms(self, event_id: int) -> int | None:
        """Tells for how long the oldest claim has been there, ms."""
        with self._lock:
            late, waiting = self._late.get(event_id, {}), self._waiting.get(event_id, {})
            accepted = [late.get(order_id, waiting[order_id]) for order_id in self._claims.get(event_id, {})]
            return max(0, _now_ms() - min(accepted)) if accepted else None

    def survey(self, event_id: int) -> GateSurvey | None:
        """Takes down stock and claims of an event as they are at one moment; None when it is not loaded."""
        with self._lock:
            if event_id not in self._terms:
                return None
            claims = {id_: _decode(claim) for id_, claim in self._claims.get(event_id, {}).items()}
            return GateSurvey(self._epoch.get(event_id, 0), dict(self._stock[event_id]), claims)

    def held_of(self, event_id: int, order_ids: Sequence[str]) -> list[OrderPlaced]:
        """Reads the claims of those of these orders that have one."""
        held = self._claims.get(event_id, {})
        return [_decode(held[order_id]) for order_id in order_ids if order_id in held]

    def queued_ms(self, order_id: str) -> int | None:
        """When the order's message was last put on the queue; None without a claim."""
        return self._waiting.get(event_of(order_id), {}).get(order_id)

    def realign(
        self, event_id: int, epoch: int, drift: Mapping[int, int], decided: Collection[str] = ()
    ) -> bool:
        """Adds `drift` to the stock, unless the epoch is another, and counts buyers anew."""
        with self._lock:
            if self._epoch.get(event_id, 0) != epoch or event_id not in self._stock:
                return False
            for type_id, difference in drift.items():
                self._stock[event_id][type_id] = self._stock[event_id].get(type_id, 0) + difference
            for order_id in decided:
                self._forget(event_id, order_id)
            self._buyers.pop(event_id, None)
            self._epoch[event_id] = epoch + 1
            return True

    def ping(self) -> None:
        """Always there."""

    def _take(self, intent: OrderIntent) -> None:
        """Takes one from the buyer's rate limit and one from the client's."""
        terms = self._terms.get(intent.event_id, {})
        if "types" not in terms:
            return
        limits = [int(text) if (text := terms.get(f"{kind}RateLimit")) else None for kind in _BUCKETS]
        whose = (intent.user_id, intent.client)
        buckets = [(intent.event_id, *pair) for pair in zip(_BUCKETS, whose, strict=True)]
        over = self._buckets.take(zip(buckets, limits, strict=True), _now_ms() * 1_000)
        if over is not None:
            place, wait_us = over
            raise refusal(f"rate-limited {_BUCKETS[place]} {limits[place]} {wait_us}")

    def _counted(self, claim: bytes, intent: OrderIntent, key_is_new: bool) -> Claim:
        """The claim, with what its buyer has left."""
        limit = self._terms[intent.event_id]["buyerRateLimit"]
        if not limit or key_is_new:
            return Claim(claim)
        bucket = (intent.event_id, "buyer", intent.user_id)
        return claim_with(claim, int(limit), self._buckets.until_whole_us(bucket, _now_ms() * 1_000))

    def _replay(self, intent: OrderIntent) -> bytes | None:
        """The claim of the order that has the intent's key."""
        record = None if intent.idempotency_key is None else self._records.get(_owner(intent))
        if record is None:
            return None
        order_id, digest = record
        if digest != intent.request_digest:
            raise refusal("idempotency-key-reused")
        claim = self._claims.get(intent.event_id, {}).get(order_id)
        if claim is None:
            raise refusal(f"settled {order_id}")
        if order_id != intent.order_id:
            self._replayed.add(order_id)
        return claim

    def _admit(self, intent: OrderIntent, now_ms: int, key_is_new: bool) -> bytes:
        terms = self._terms.get(intent.event_id)
        if terms is None:
            raise NotLoaded
        if intent.idempotency_key is not None and not key_is_new:
            self._refuse_unless_key_is_sure(intent.event_id, now_ms)
        if terms["state"] != "open":
            raise refusal(f"sale-{terms['state']}")
        if terms["openAtMs"] and now_ms < int(terms["openAtMs"]):
            raise refusal(f"sale-not-open {terms['openAtMs']}")
        if terms["closeAtMs"] and now_ms >= int(terms["closeAtMs"]):
            raise refusal("sale-closed")
        items = _items(intent, terms)
        if terms["maxPerOrder"] and sum(item.quantity for item in items) > int(terms["maxPerOrder"]):
            raise refusal(f"order-limit-exceeded {terms['maxPerOrder']}")
        stock = self._stock[intent.event_id]
        _refuse_unless_in_stock(items, stock)
        self._count_buyer(intent, terms["maxPerBuyer"], sum(item.quantity for item in items))
        for item in items:
            stock[item.ticket_type_id] -= item.quantity
        placed = OrderPlaced(
            schema=MESSAGE_SCHEMA,
            order_id=intent.order_id,
            event_id=intent.event_id,
            user_id=intent.user_id,
            currency=terms["currency"],
            items=items,
            accepted_at_ms=now_ms,
            idempotency_key=intent.idempotency_key,
            request_digest=intent.request_digest,
        )
        claim = msgspec.json.encode(placed)
        if intent.idempotency_key is not None:
            self._records[_owner(intent)] = (intent.order_id, intent.request_digest)
        self._claims.setdefault(intent.event_id, {})[intent.order_id] = claim
        self._waiting.setdefault(intent.event_id, {})[intent.order_id] = now_ms
        return claim

    def _refuse_unless_key_is_sure(self, event_id: int, now_ms: int) -> None:
        refilled_at = self._refilled_at.get(event_id)
        if refilled_at is not None and now_ms < refilled_at + KEY_LIFE_SECONDS * 1_000:
            raise refusal("key-forgotten")

    def _count_buyer(self, intent: OrderIntent, limit: str, tickets: int) -> None:
        if not limit:
            return
        buyers = self._buyers.setdefault(intent.event_id, {})
        has = buyers.get(intent.user_id, 0) + tickets
        if has > int(limit):
            raise refusal(f"buyer-limit-exceeded {limit}")
        buyers[intent.user_id] = has

    def _settle(self, event_id: int, kept: Sequence[str], returned: Sequence[str]) -> int:
        found = [_decode(claim) for order_id in returned if (claim := self._forget(event_id, order_id))]
        stock, buyers = self._stock.get(event_id, {}), self._buyers.get(event_id, {})
        for placed in found:
            for item in placed.items if stock else ():
                stock[item.ticket_type_id] += item.quantity
            buyers[placed.user_id] = max(0, buyers.get(placed.user_id, 0) - placed.quantity)
        sold = sum(self._forget(event_id, order_id) is not None for order_id in kept)
        self._epoch[event_id] = self._epoch.get(event_id, 0) + 1
        return sold + len(found)

    def _forget(self, event_id: int, order_id: str) -> bytes | None:
        self._waiting.get(event_id, {}).pop(order_id, None)
        return self._claims.get(event_id, {}).pop(order_id, None)


_BUCKETS = ("buyer", "client")
_decode = msgspec.json.Decoder(OrderPlaced).decode


def _owner(intent: OrderIntent) -> tuple[int, str, str]:
    return intent.event_id, intent.user_id, intent.idempotency_key or ""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _hash(event: Event) -> dict[str, str]:
    flat = terms_of(event)
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _items(intent: OrderIntent, terms: dict[str, str]) -> tuple[Item, ...]:
    """The lines with their types and prices; a type of another event costs 0, and is refused next."""
    items = []
    for line in intent.wanted:
        if line.ticket_type_id is None and "," in terms["types"]:
            raise refusal("ticket-type-required")
        type_id = int(terms["types"]) if line.ticket_type_id is None else line.ticket_type_id
        items.append(Item(type_id, line.quantity, int(terms.get(f"price:{type_id}", 0))))
    return tuple(items)


def _refuse_unless_in_stock(items: tuple[Item, ...], stock: dict[int, int]) -> None:
    for item in items:
        if item.ticket_type_id not in stock:
            raise refusal(f"ticket-type-not-found {item.ticket_type_id}")
    if any(stock[item.ticket_type_id] <= 0 for item in items):
        raise refusal("sold-out")
    for item in items:
        if stock[item.ticket_type_id] < item.quantity:
            raise refusal(f"not-enough-tickets {stock[item.ticket_type_id]}")
