"""The twin ledger's search: orders by anything they are known by, and what happened to one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chalicelib.model import DeadLetter, Order
from chalicelib.traces import Candidate, Letter, Matched, Trace
from tests.fakes.books import Books


class MemoryTraces(Books):
    """As `ledger.traces`, in memory."""

    def candidates(self, text: str, limit: int) -> list[Candidate]:
        """Lists orders whose buyer, idempotency key or failed message has this very name."""
        with self._lock:
            bought = sorted(
                (id_ for id_, order in self._orders.items() if order.user_id == text), reverse=True
            )
            keyed = sorted((user, id_) for (user, key), (id_, _) in self._keys.items() if key == text)
            letters = [each for each in self._letters() if each.user_id == text and each.order_id]
            named = [each for each in self._letters() if each.message_id == text]
        found = [(self._orders[id_].event_id, id_, Matched.BUYER) for id_ in bought[:limit]]
        found += [(self._orders[id_].event_id, id_, Matched.IDEMPOTENCY_KEY) for _, id_ in keyed[:limit]]
        listed = [Candidate(id_, event_id, matched) for event_id, id_, matched in found]
        listed += [Candidate(each.order_id, each.event_id, Matched.BUYER) for each in letters[:limit]]
        return listed + [Candidate(each.order_id, each.event_id, Matched.MESSAGE_ID) for each in named]

    def orders_by_id(self, order_ids: Iterable[str]) -> list[Order]:
        """Reads those of these orders that are decided."""
        with self._lock:
            return [self._orders[order_id] for order_id in set(order_ids) & set(self._orders)]

    def letters(self, order_ids: Iterable[str], message_id: str, limit: int) -> list[Letter]:
        """Lists the failed messages of these orders, and the one with this id, the last failure first."""
        wanted = set(order_ids)
        with self._lock:
            listed = self._letters()
        return [each for each in listed if each.order_id in wanted or each.message_id == message_id][:limit]

    def trace(self, order_id: str) -> Trace:
        """Reads all that the ledger knows of an order."""
        with self._lock:
            order = self._orders.get(order_id)
            event = None if order is None else self._events.get(order.event_id)
            letters = tuple(self.letters([order_id], "", len(self._failed)))
            paid = [payment for payment in self._payments.values() if payment.order_id == order_id]
            failed = [each for letter in letters for each in self._attempts.get(letter.message_id, ())]
            return Trace(
                order=order,
                ended_at=self._ended.get(order_id),
                hold_seconds=0 if event is None else event.hold_seconds,
                letters=letters,
                attempts=tuple(sorted(failed, key=lambda each: each.failed_at, reverse=True)),
                payments=tuple(
                    sorted(paid, key=lambda each: (each.received_at, each.reference), reverse=True)
                ),
            )

    def _letters(self) -> list[Letter]:
        listed = sorted(self._failed.values(), key=lambda each: (each.recorded_at, each.message_id))
        return [_letter(each) for each in reversed(listed)]


def _letter(kept: DeadLetter) -> Letter:
    """Whatever of a letter is kept with the message."""
    return msgspec.convert(kept, Letter, from_attributes=True)
