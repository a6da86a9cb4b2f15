"""What happens in one simulation, drawn from one seed before it begins. It knows no store and no code.

A step is self-contained: it says "the third of the orders there are" and not an id, so that a schedule
still makes sense when steps before it are taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random

import msgspec
from msgspec.structs import replace

from chalicelib.model import LatePayment


class Kind(StrEnum):
    """Who does what in one step."""

    BUY = "buy"
    DELIVER = "deliver"
    PAY = "pay"
    CANCEL = "cancel"
    EXPIRE = "expire"
    RECONCILE = "reconcile"
    REALIGN = "realign"
    WAIT = "wait"
    SWITCH = "switch"
    BREAK = "break"
    MEND = "mend"
    WIPE = "wipe the gate"
    SAVE = "save the gate"
    RESTORE = "restore the gate"
    POISON = "poison"


class FaultKind(StrEnum):
    """What befalls one effect: a call on the gate, the queue or the ledger."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSED = "refused"
    """It has not happened, and the caller knows."""
    LOST = "lost"
    """It has not happened, and the caller does not know."""
    UNANSWERED = "unanswered"
    """It has happened, and the caller does not know."""
    MEANWHILE = "meanwhile"
    """Somebody else takes a whole step first."""


class Fault(msgspec.Struct, frozen=True):
    """Befalls effect number `at` of a step, from 0."""

    at: int
    kind: FaultKind
    meanwhile: Step | None = None


class Step(msgspec.Struct, frozen=True):
    """`a`, `b` and `c` are numbers from 0 to 255 that choose among what is there."""

    kind: Kind
    a: int
    b: int
    c: int
    faults: tuple[Fault, ...] = ()


class Sale(msgspec.Struct, frozen=True):
    """The terms of the events on sale; all of them have the same."""

    events: int
    capacities: tuple[int, ...]
    hold_seconds: int
    late_payment: LatePayment
    max_per_buyer: int | None
    fallback: bool
    """Whether a gate that is down lets everybody in."""


class Schedule(msgspec.Struct, frozen=True):
    """One simulation, whole: running it twice is the same to the last step."""

    sale: Sale
    steps: tuple[Step, ...]


_WEIGHTS = {
    Kind.BUY: 76,
    Kind.DELIVER: 50,
    Kind.PAY: 34,
    Kind.CANCEL: 26,
    Kind.EXPIRE: 12,
    Kind.RECONCILE: 10,
    Kind.REALIGN: 4,
    Kind.WAIT: 12,
    Kind.SWITCH: 3,
    Kind.BREAK: 5,
    Kind.MEND: 7,
    Kind.WIPE: 6,
    Kind.SAVE: 3,
    Kind.RESTORE: 3,
    Kind.POISON: 2,
}
_LAPSES = (Kind.WIPE, Kind.RESTORE)
_KINDS = [kind for kind, weight in _WEIGHTS.items() for _ in range(weight)]
_KINDS += [Kind.BUY] * (256 - len(_KINDS))
_KINDS_OF_A_SOUND_GATE = [Kind.DELIVER if kind in _LAPSES else kind for kind in _KINDS]
_FAULTS = [*FaultKind, FaultKind.MEANWHILE, FaultKind.MEANWHILE]
_CAPACITIES = ((1,), (2,), (3,), (4,), (6,), (2, 1), (3, 2), (1, 1))
_EFFECTS = 6
"""Calls on the stores that most steps make; bad luck at a later one befalls nobody."""
_DEEPEST = 2
"""Steps within a step within a step."""


def draw(seed: int) -> Schedule:
    """Draws the schedule of a seed: 20 to 35 steps, a quarter of them with bad luck of their own.

    In half of the schedules the gate never loses its memory, and is held to more; one in eight has no
    fault within a step.
    """
    rng = Random(seed)
    bits = rng.getrandbits(32)
    sale = Sale(
        events=2 if bits & 7 == 0 else 1,
        capacities=_CAPACITIES[bits >> 3 & 7],
        hold_seconds=60 if bits >> 6 & 3 else 0,
        late_payment=list(LatePayment)[(bits >> 8 & 255) % 3],
        max_per_buyer=(None, None, 2, 3)[bits >> 16 & 3],
        fallback=bits >> 18 & 3 == 0,
    )
    luck = _Luck(
        kinds=_KINDS if bits >> 27 & 1 else _KINDS_OF_A_SOUND_GATE,
        faults=64 if bits >> 20 & 7 else 0,
    )
    return Schedule(sale, tuple(_step(rng, luck, 0) for _ in range(20 + (bits >> 23 & 15))))


class _Luck(msgspec.Struct, frozen=True):
    """What the steps of one schedule are drawn from; `faults` of 256 have a fault in them."""

    kinds: Sequence[Kind]
    faults: int


def _step(rng: Random, luck: _Luck, depth: int) -> Step:
    bits = rng.getrandbits(60)
    kind, a, b, c = luck.kinds[bits & 255], bits >> 8 & 255, bits >> 16 & 255, bits >> 24 & 255
    if bits >> 32 & 255 >= luck.faults:
        return Step(kind, a, b, c)
    fault = _FAULTS[(bits >> 40 & 255) % len(_FAULTS)]
    at = (bits >> 48 & 255) % _EFFECTS
    if fault is not FaultKind.MEANWHILE:
        return Step(kind, a, b, c, (Fault(at, fault),))
    if depth == _DEEPEST:
        return Step(kind, a, b, c)
    other = _step(rng, luck, depth + 1)
    if bits >> 56 & 1 and kind is Kind.DELIVER:  # two workers at once is what there must be most of
        other = replace(other, kind=kind)
    return Step(kind, a, b, c, (Fault(at, fault, other),))
