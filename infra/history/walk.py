"""Walks the ledger's commits one by one, keeps books of its own, and notes after which they are wrong.

Pure. The table of moves is written by hand and shares nothing with the service's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from infra.history.lines import UNKNOWN, Commit, OrderChange, PaymentChange, Removal, TypeChange
from infra.history.story import Story

COUNTERS = {"confirmed": "sold", "reserved": "reserved"}
"""Statuses whose tickets nobody else may have, and the counter that has them."""
MOVES: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"confirmed", "reserved", "rejected", "cancelled"}),
    "reserved": frozenset({"confirmed", "expired", "cancelled"}),
    "confirmed": frozenset({"cancelled"}),
    "expired": frozenset({"confirmed"}),
}
"""What an order may become; from None it is written for the first time."""


class _Item(msgspec.Struct, rename="camel"):
    ticket_type_id: int
    quantity: int


_items = msgspec.json.Decoder(tuple[_Item, ...])


@dataclass(slots=True)
class Lived:
    """What an order has been: each status with the moment from which on, the last row, what it holds now.

    `holds` counts tickets by type and counter.
    """

    row: OrderChange
    inserted: int = 0
    statuses: list[tuple[float, str]] = field(default_factory=list)
    holds: Counter[tuple[int, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Wrong:
    """What was wrong, promise by promise; each offender names the commit."""

    oversold: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    over_cap: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    unpaid: list[str] = field(default_factory=list)


class Walk:
    """The books after the last commit: orders, ticket types, and what was wrong on the way."""

    def __init__(self, story: Story) -> None:
        """Lives through every commit of the story."""
        self.orders: dict[str, Lived] = {}
        self.types: dict[int, TypeChange] = {}
        self.given: Counter[tuple[int, str]] = Counter()
        self.wrong = Wrong()
        self._has: Counter[tuple[int, str]] = Counter()
        self._paid: defaultdict[str, set[str]] = defaultdict(set)
        self._with_hold = {event.id for event in story.events.values() if event.hold_seconds}
        self._limits = {event.id: event.max_per_buyer for event in story.events.values()}
        self._asked = {
            kind.id: kind.capacity for event in story.events.values() for kind in event.ticket_types
        }
        for commit in story.commits:
            self._live(commit)

    def left(self, type_id: int) -> int:
        """Tickets of a type that no order holds."""
        return self._capacity(type_id) - self.given[type_id, "sold"] - self.given[type_id, "reserved"]

    def _capacity(self, type_id: int) -> int:
        """The organiser's word; the ledger's where that is not in the history."""
        kind = self.types.get(type_id)
        return self._asked.get(type_id, kind.capacity if kind else 0)

    def _live(self, commit: Commit) -> None:
        types: set[int] = set()
        buyers: set[tuple[int, str]] = set()
        for change in commit.changes:
            if isinstance(change, TypeChange):
                self.types[change.id] = change
                types.add(change.id)
            elif isinstance(change, PaymentChange):
                self._paid[change.order_id].discard(change.reference)
                if change.state == "applied":
                    self._paid[change.order_id].add(change.reference)
            else:
                changed = self._removed(commit, change) if isinstance(change, Removal) else [change.id]
                if isinstance(change, OrderChange):
                    self._written(commit, change)
                for lived in (self.orders[order_id] for order_id in changed):
                    types |= self._move(lived)
                    buyers.add((lived.row.event_id, lived.row.user_id))
        self._look_at_money(commit)
        self._look_at_types(commit, sorted(types))
        self._look_at_buyers(commit, sorted(buyers))

    def _written(self, commit: Commit, change: OrderChange) -> None:
        lived = self.orders.setdefault(change.id, Lived(change))
        before, after = change.before, change.status
        if before is None:
            lived.inserted += 1
            if lived.inserted > 1:
                self.wrong.rewritten.append(f"{change.id} again at {commit.lsn}")
        if before not in {UNKNOWN, after} and after not in MOVES.get(before, ()):
            self.wrong.moves.append(f"{change.id} from {before or 'nothing'} to {after} at {commit.lsn}")
        due = lived.row.expires_at_ms
        if (before, after) == ("reserved", "expired") and due is not None and commit.at_ms < due:
            self.wrong.cut_short.append(f"{change.id} {due - commit.at_ms:.0f} ms early")
        lived.row = change
        lived.statuses.append((commit.at_ms, after))

    def _removed(self, commit: Commit, change: Removal) -> list[str]:
        """Orders that are gone: they hold nothing any more."""
        self.wrong.rewritten.append(f"{change.table} {change.id or '(all)'} gone at {commit.lsn}")
        if change.table != "orders":
            return []
        gone = [name for name in self.orders if change.id in (None, name)]
        for order_id in gone:
            lived = self.orders[order_id]
            lived.row = msgspec.structs.replace(lived.row, status="removed")
        return gone

    def _move(self, lived: Lived) -> set[int]:
        """Takes off the books what the order held and puts on what it holds now; returns the types."""
        held, lived.holds = lived.holds, _holds(lived.row)
        buyer = (lived.row.event_id, lived.row.user_id)
        self.given.subtract(held)
        self.given.update(lived.holds)
        self._has[buyer] += lived.holds.total() - held.total()
        return {type_id for type_id, _ in (*held, *lived.holds)}

    def _look_at_money(self, commit: Commit) -> None:
        self.wrong.unpaid += [
            f"{change.id} at {commit.lsn}"
            for change in commit.changes
            if isinstance(change, OrderChange)
            and change.event_id in self._with_hold
            and change.status == "confirmed" != change.before
            and not self._paid[change.id]
        ]

    def _look_at_types(self, commit: Commit, types: list[int]) -> None:
        for type_id in types:
            kind, capacity = self.types.get(type_id), self._capacity(type_id)
            sold, reserved = self.given[type_id, "sold"], self.given[type_id, "reserved"]
            told = (sold, reserved, capacity) if kind is None else (kind.sold, kind.reserved, kind.capacity)
            if max(sold + reserved, told[0] + told[1]) > capacity or told[2] != capacity:
                figures = f"{sold} sold + {reserved} reserved of {capacity}"
                self.wrong.oversold.append(f"type {type_id} at {commit.lsn}: {figures}")
            if kind is not None and told[:2] != (sold, reserved):
                figures = f"{told[0]} + {told[1]} by the counters, {sold} + {reserved} by the orders"
                self.wrong.unbalanced.append(f"type {type_id} at {commit.lsn}: {figures}")

    def _look_at_buyers(self, commit: Commit, buyers: list[tuple[int, str]]) -> None:
        for event_id, user_id in buyers:
            limit, has = self._limits.get(event_id), self._has[event_id, user_id]
            if limit is not None and has > limit:
                self.wrong.over_cap.append(f"{user_id} has {has} at {commit.lsn}")


def _holds(row: OrderChange) -> Counter[tuple[int, str]]:
    counter = COUNTERS.get(row.status)
    held: Counter[tuple[int, str]] = Counter()
    for item in _items.decode(row.items) if counter else ():
        held[item.ticket_type_id, str(counter)] += item.quantity
    return held
