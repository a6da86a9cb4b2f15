"""Compares the gate with the ledger at one moment, and brings it in line while sales go on.

What the ledger gives back (a cancelled, an expired order) is never added to the gate by whoever did it: the
gate is realigned, so that doing it twice changes nothing. The same comparison gives the conservation figures.

One moment, of two stores: the gate is surveyed, then the ledger, then the gate again. If nothing was settled
in between (its epoch is the same), every claim of the first survey is still there, and the ledger has said
which of them it has decided. A claim that is new in the second survey was made before or after the ledger
was looked at; it is asked about by itself, and when the ledger knows it already, all begins again. So

    what should be for sale = unsold in the ledger - claims that the ledger had not decided

and what the gate has at the second survey differs from it by the drift. Knows no HTTP, SQL or script.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.filling import filled
from chalicelib.gate.refusals import NotLoaded
from chalicelib.model import OrderPlaced, TicketType

if TYPE_CHECKING:
    from chalicelib.gate.upkeep import GateSurvey
    from chalicelib.services import Services

ATTEMPTS = 100
"""Surveys before giving up: each takes a few ms, and fails when a batch is settled meanwhile."""
SECOND_LOOKS, SECOND_LOOK_SECONDS = 20, 0.01
"""A decision is in the ledger some ms before the gate hears of it: a drift counts when it outlives this."""


class Tickets(msgspec.Struct, frozen=True, kw_only=True):
    """Where tickets are. `gap` is 0 unless some are nowhere (above 0) or in two places (below)."""

    capacity: int
    sold: int
    """In the ledger."""
    reserved: int
    """In the ledger, held for a payment."""
    pending: int
    """In the gate's claims, not decided by the ledger."""
    available: int
    """In the gate's stock; below 0 when it has let in too many, whom the ledger will refuse."""
    gap: int


class Conservation(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tickets of an event are, of all types together and of each one."""

    event_id: int
    total: Tickets
    ticket_types: dict[int, Tickets]
    """By ticket type id."""
    as_of: datetime


class Picture(msgspec.Struct, frozen=True):
    """Gate and ledger at one moment."""

    gate: GateSurvey
    ticket_types: tuple[TicketType, ...]
    decided: frozenset[str]
    """Claims that the ledger has decided, and the gate has not settled yet."""

    def counts(self) -> dict[int, Tickets]:
        """Tickets by ticket type id."""
        undecided = [claim for order_id, claim in self.gate.claims.items() if order_id not in self.decided]
        pending = _tickets_by_type(undecided)
        return {kind.id: self._count(kind, pending.get(kind.id, 0)) for kind in self.ticket_types}

    def drift(self) -> dict[int, int]:
        """What the gate's stock lacks, by ticket type id; below 0 where it has too much."""
        return {type_id: count.gap for type_id, count in self.counts().items() if count.gap}

    def _count(self, kind: TicketType, pending: int) -> Tickets:
        available = self.gate.stock.get(kind.id, 0)
        return Tickets(
            capacity=kind.capacity,
            sold=kind.sold,
            reserved=kind.reserved,
            pending=pending,
            available=available,
            gap=kind.unsold - pending - available,
        )


def realign(services: Services, event_id: int) -> dict[int, int]:
    """Makes the gate's stock what the ledger leaves for sale, exactly, while orders come and are settled.

    For when the ledger has given tickets back, or the stock is not right. The gate forgets what buyers have,
    so that nobody is held to a cap for tickets that came back, even where others have taken as many and
    there is no drift; the ledger decides the cap. Returns what was added to the stock by ticket type id,
    {} when it was right. A gate that does not have the event is left alone: it is filled right when
    somebody asks. Raises Unavailable.
    """
    for _ in range(ATTEMPTS):
        picture = _picture(services, event_id)
        if picture is None:
            return {}
        drift = picture.drift()
        if services.gate.realign(event_id, picture.gate.epoch, drift, picture.decided):
            return drift
    raise Unavailable("gate", "claims were settled at every attempt to realign")


def lasting_picture(
    services: Services, event_id: int, *, sleep: Callable[[float], None] = time.sleep
) -> Picture | None:
    """Looks until there is no drift, or it has been there for so long that nothing on its way mends it.

    None for an event that is not in the gate. `sleep` takes seconds. Raises Unavailable.
    """
    picture = _picture(services, event_id)
    for _ in range(SECOND_LOOKS):
        if picture is None or not picture.drift():
            break
        sleep(SECOND_LOOK_SECONDS)
        picture = _picture(services, event_id)
    return picture


def conservation(
    services: Services, event_id: int, *, sleep: Callable[[float], None] = time.sleep
) -> Conservation:
    """Shows where every ticket of an event is, of one moment, while orders stream in.

    A gap is reported when it lasts: an order that is cancelled or rejected is in the ledger some ms before
    the gate hears of it. A cold gate is filled. `sleep` takes seconds. Raises Rejected("event-not-found")
    or Unavailable.
    """

    def look() -> Conservation:
        picture = lasting_picture(services, event_id, sleep=sleep)
        if picture is None:
            raise NotLoaded
        counts = picture.counts()
        as_of = services.clock()
        return Conservation(
            event_id=event_id, total=_total(counts.values()), ticket_types=counts, as_of=as_of
        )

    return filled(services, event_id, look)


def _picture(services: Services, event_id: int) -> Picture | None:
    """Takes gate and ledger at one moment, as the module's docstring says; None when the gate is cold."""
    before = services.gate.survey(event_id)
    for _ in range(ATTEMPTS):
        if before is None:
            return None
        ledger = services.ledger.survey(event_id, list(before.claims))
        after = services.gate.survey(event_id)
        if after is not None and after.epoch == before.epoch:
            new = after.claims.keys() - before.claims.keys()
            if not new or not services.ledger.survey(event_id, list(new)).decided:
                return Picture(after, ledger.ticket_types, ledger.decided)
        before = after
    raise Unavailable("gate", "claims were settled during every survey")


def _tickets_by_type(claims: Iterable[OrderPlaced]) -> dict[int, int]:
    tickets: dict[int, int] = {}
    for claim in claims:
        for item in claim.items:
            tickets[item.ticket_type_id] = tickets.get(item.ticket_type_id, 0) + item.quantity
    return tickets


def _total(counts: Iterable[Tickets]) -> Tickets:
    listed = list(counts)
    names = Tickets.__struct_fields__
    return Tickets(**{name: sum(getattr(count, name) for count in listed) for name in names})
