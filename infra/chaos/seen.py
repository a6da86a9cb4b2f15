"""What a rush with chaos has seen of its faults, and what it promises after the last. Plain values, pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from infra.rush.verdict import Check

ALLOWED_SECONDS = 10.0
"""From the last fault until every ticket is accounted for, and stays so."""


class FaultSeen(msgspec.Struct, frozen=True, rename="camel"):
    """A fault that has struck: when, counted from the crowd's beginning, and whom.

    `back_after_seconds` is None where nothing has to come back. `missed` says why one did not strike.
    """

    at_seconds: float
    kind: str
    victim: str
    back_after_seconds: float | None = None
    missed: str | None = None


class Look(msgspec.Struct, frozen=True, rename="camel"):
    """One look at the conservation figures after the last fault; None when the service gave none."""

    after_seconds: float
    gap: int | None


class ChaosSeen(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`gap_zero_after_seconds` counts from the last fault; every look since then saw a gap of 0.

    None when the last look still saw another. `gaps` are the looks that saw one, or no answer.
    """

    seed: int
    faults: tuple[FaultSeen, ...]
    gap_zero_after_seconds: float | None
    looks: int
    gaps: tuple[Look, ...]


def chaos_seen(seed: int, faults: Sequence[FaultSeen], looks: Sequence[Look]) -> ChaosSeen:
    """Adds up what was seen; `looks` are in the order of looking."""
    return ChaosSeen(
        seed=seed,
        faults=tuple(sorted(faults, key=lambda fault: fault.at_seconds)),
        gap_zero_after_seconds=_zero_after(looks),
        looks=len(looks),
        gaps=tuple(look for look in looks if look.gap != 0),
    )


def _zero_after(looks: Sequence[Look]) -> float | None:
    """When the looks began that all saw 0, to the end; a gap that comes back was not gone."""
    since: float | None = None
    for look in looks:
        if look.gap != 0:
            since = None
        elif since is None:
            since = look.after_seconds
    return since


def chaos_checks(seen: ChaosSeen) -> list[Check]:
    """The promises of a rush with chaos that its other audits do not have."""
    missed = [f"{fault.kind}: {fault.missed}" for fault in seen.faults if fault.missed]
    after = seen.gap_zero_after_seconds
    lasting = "never" if after is None else f"for good {after:.1f} s after it"
    return [
        Check("every fault struck", not missed, "; ".join(missed) or f"{len(seen.faults)} faults"),
        Check(
            f"the gap is 0 within {ALLOWED_SECONDS:g} s of the last fault, and stays 0",
            after is not None and after <= ALLOWED_SECONDS,
            f"{lasting}, {seen.looks} looks",
        ),
    ]


def chaos_lines(seen: ChaosSeen) -> list[str]:
    """The faults as a table for the report."""
    head = f"{'second':>8}  {'fault':<24}{'victim':<12}{'back after':>12}"
    return [f"chaos of seed {seen.seed}", head, *(fault_line(fault) for fault in seen.faults)]


def fault_line(fault: FaultSeen) -> str:
    """One row of that table."""
    after = fault.back_after_seconds
    back = fault.missed or ("" if after is None else f"{after:>10.2f} s")
    return f"{fault.at_seconds:>8.2f}  {fault.kind:<24}{fault.victim:<12}{back}".rstrip()
