"""Says whether every ticket is accounted for, from the service's conservation. Pure."""

from __future__ import annotations

from infra.report.figures import Certificate
from infra.report.gathered import ConservationShown


def certificate(found: ConservationShown) -> Certificate:
    """Adds the places up again, rather than believing the gap that was told, and says what came out."""
    gap = found.capacity - found.sold - found.reserved - found.pending - found.available
    return Certificate(
        capacity=found.capacity,
        sold=found.sold,
        reserved=found.reserved,
        pending=found.pending,
        available=found.available,
        gap=gap,
        as_of=found.as_of,
        sources=found.sources,
        holds=gap == 0 and gap == found.gap,
        sentence=_sentence(found, gap),
    )


def _sentence(found: ConservationShown, gap: int) -> str:
    if gap != found.gap:
        return (
            f"The service's own figures do not add up: it tells a gap of {found.gap:,}, the sum says {gap:,}."
        )
    if gap > 0:
        return f"{gap:,} of {found.capacity:,} tickets are in no place: neither sold nor for sale."
    if gap < 0:
        return f"{-gap:,} tickets more than the {found.capacity:,} there are: some are in two places."
    if found.capacity == 1:
        return "The only ticket is in exactly one place; it was not sold twice."
    return f"Every one of the {found.capacity:,} tickets is in exactly one place; none was sold twice."
