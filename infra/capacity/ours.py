"""The two limits that are our own, from measured figures. It must not know what is to be done about them."""

from __future__ import annotations

from infra.capacity.demand import Demand
from infra.capacity.limits import Catalogue, Confirmed, Kind, Limit


def ours(need: Demand, known: Catalogue) -> tuple[Limit, Limit]:
    """One process of the gate, one hot row of the ledger: what was measured, as limits.

    Raises StopIteration when `known` lacks the figures.
    """
    gate = next(figure for figure in known.measured if figure.id == "gate-rate")
    ledger = next(figure for figure in known.measured if figure.id == "ledger-100")
    return (
        Limit(
            id="gate-process",
            service="Gate",
            name="commands of one Valkey process, measured",
            value=gate.value,
            unit="commands/s",
            kind=Kind.FIXED,
            adjustable=False,
            ceiling=None,
            source=gate.source,
            confirmed=Confirmed.MEASURED,
            as_of="2026-11-22",
            note=gate.note,
        ),
        Limit(
            id="ledger-orders",
            service="Ledger",
            name="orders through one hot row",
            value=round(need.ledger_orders),
            unit="orders/s",
            kind=Kind.SETTING,
            adjustable=True,
            ceiling=round(need.ledger_orders_1000),
            source=ledger.source,
            confirmed=Confirmed.MEASURED,
            as_of="2026-11-22",
            note="The measured time of a batch of 100, and batchWaitMs; the ceiling is that of 1,000.",
        ),
    )
